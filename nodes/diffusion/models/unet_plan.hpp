#pragma once
// A U-Net as a list: which unit stands where and how wide it is. Construction, cost and file layout all follow it.
// Wiring: CompVis stable-diffusion, ldm/modules/diffusionmodules/openaimodel.py; ermongroup ddim, models/diffusion.py.

#include <refrain/diffusion/unet.hpp>

#include <string>
#include <vector>

namespace refrain::diffusion {

/// Where the weights of a unit's parts lie below the U-Net's path; empty where there is no such part.
struct UnitPaths {
  std::string body;       ///< the resnet, or the convolution of conv_in
  std::string attention;  ///< the transformer, or the attention over places
  std::string resample;   ///< the downsample or the upsample
};

/// One encoder unit; its output is a skip.
struct EncoderUnitPlan {
  enum class Kind { conv_in, resnet, downsample };
  Kind kind = Kind::resnet;
  int level = 0;  ///< of its input; 0 is the full resolution
  int in = 0;
  int out = 0;
  int transformer_depth = 0;  ///< 0: no attention
  UnitPaths paths{};
};

/// One decoder unit: a resnet on cat(h, skip), then perhaps a transformer and an upsample.
struct DecoderUnitPlan {
  int level = 0;
  int in = 0;    ///< channels of h
  int skip = 0;  ///< channels of the skip
  int out = 0;
  int transformer_depth = 0;
  bool upsample = false;
  UnitPaths paths{};
};

struct UNetPlan {
  int time_channels = 0;  ///< width of the time embedding
  int middle_channels = 0;
  int middle_transformer_depth = 0;
  std::vector<EncoderUnitPlan> encoder;  ///< S units
  std::vector<DecoderUnitPlan> decoder;  ///< S units, deepest first: unit j takes skip S-1-j
  std::string time_first, time_second;   ///< paths of the time embedding's two layers
  std::string middle_first, middle_attention, middle_second;
  std::string output_norm, output_conv;

  int skips() const { return static_cast<int>(encoder.size()); }
};

/// Throws ModelError "model_config" for sizes that make no U-Net.
UNetPlan plan_unet(const UNetConfig& config);

/// What the files of a style call its parts: fills in every path of a plan.
void name_parts(UNetPlan& plan, const UNetConfig& config);

/// Heads of attention at a width. Throws ModelError "model_config" when they don't divide it.
int heads_for(const UNetConfig& config, int channels);

}  // namespace refrain::diffusion
