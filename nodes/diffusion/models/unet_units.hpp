#pragma once
// The units that a U-Net is a list of.
// Letters: N batch, C channels, h w sides, E width of the time embedding, T text tokens, D width of a token.

#include "models/downsample.hpp"
#include "models/place_attention.hpp"
#include "models/resnet_block.hpp"
#include "models/spatial_transformer.hpp"
#include "models/unet_plan.hpp"
#include "models/upsample.hpp"

#include <ATen/core/Tensor.h>

#include <optional>
#include <string>
#include <variant>

namespace refrain::diffusion {

/// What every unit is given besides h.
struct UnitInput {
  at::Tensor silu_of_embedding;  ///< [N, E]
  at::Tensor context;            ///< [N, T, D]
};

/// What follows a resnet: a transformer (ldm), attention over places (ddpm), or nothing.
class UnitAttention {
 public:
  UnitAttention(const Weights& unet, const UNetConfig& config, const std::string& path, int width, int depth);
  at::Tensor operator()(const at::Tensor& h, const at::Tensor& context) const;

 private:
  std::variant<std::monostate, SpatialTransformer, PlaceAttention> body_;
};

/// A resnet, then perhaps attention.
class ResnetUnit {
 public:
  ResnetUnit(const Weights& unet, const UNetConfig& config, const UnitPaths& paths, int in, int out, int depth);
  at::Tensor operator()(const at::Tensor& h, const UnitInput& input) const;

 private:
  ResnetBlock resnet_;
  UnitAttention attention_;
};

/// conv_in, a downsample or a resnet unit.
class EncoderUnit {
 public:
  /// `unet`: the U-Net's weights; the plan says which of them.
  EncoderUnit(const Weights& unet, const UNetConfig& config, const EncoderUnitPlan& plan);
  at::Tensor operator()(const at::Tensor& h, const UnitInput& input) const;

 private:
  std::variant<Conv2d, Downsample, ResnetUnit> body_;
};

/// Two resnets around attention.
class MiddleUnit {
 public:
  MiddleUnit(const Weights& unet, const UNetConfig& config, const UNetPlan& plan);
  at::Tensor operator()(const at::Tensor& h, const UnitInput& input) const;

 private:
  ResnetBlock first_;
  UnitAttention attention_;
  ResnetBlock second_;
};

/// A resnet unit on cat(h, skip), then perhaps an upsample.
class DecoderUnit {
 public:
  DecoderUnit(const Weights& unet, const UNetConfig& config, const DecoderUnitPlan& plan);
  /// `next_skip` is what the following unit takes: its size is where an upsample goes.
  at::Tensor operator()(const at::Tensor& h, const at::Tensor& skip, const at::Tensor& next_skip,
                        const UnitInput& input) const;

 private:
  ResnetUnit body_;
  std::optional<Upsample> upsample_;
};

}  // namespace refrain::diffusion
