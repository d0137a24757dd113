#pragma once
// The units that a U-Net is a list of.
// Letters: N batch, C channels, h w sides, E width of the time embedding, T text tokens, D width of a token.

#include "models/resnet_block.hpp"
#include "models/spatial_transformer.hpp"
#include "models/unet_plan.hpp"
#include "models/upsample.hpp"

#include <ATen/core/Tensor.h>

#include <optional>
#include <variant>

namespace refrain::diffusion {

/// What every unit is given besides h.
struct UnitInput {
  at::Tensor silu_of_embedding;  ///< [N, E]
  at::Tensor context;            ///< [N, T, D]
};

/// A resnet, then perhaps a transformer.
class ResnetUnit {
 public:
  /// Takes "0" (the resnet) and, where transformer_depth > 0, "1".
  ResnetUnit(const Weights& weights, const UNetConfig& config, int in, int out, int transformer_depth);
  at::Tensor operator()(const at::Tensor& h, const UnitInput& input) const;

 private:
  ResnetBlock resnet_;
  std::optional<SpatialTransformer> transformer_;
};

/// conv_in, a downsampling convolution (stride 2, padding 1 on every side) or a resnet unit.
class EncoderUnit {
 public:
  EncoderUnit(const Weights& weights, const UNetConfig& config, const EncoderUnitPlan& plan);
  at::Tensor operator()(const at::Tensor& h, const UnitInput& input) const;

 private:
  std::variant<Conv2d, ResnetUnit> body_;
};

/// Two resnets around a transformer.
class MiddleUnit {
 public:
  MiddleUnit(const Weights& weights, const UNetConfig& config, const UNetPlan& plan);
  at::Tensor operator()(const at::Tensor& h, const UnitInput& input) const;

 private:
  ResnetBlock first_;
  std::optional<SpatialTransformer> transformer_;
  ResnetBlock second_;
};

/// A resnet unit on cat(h, skip), then perhaps an upsample.
class DecoderUnit {
 public:
  DecoderUnit(const Weights& weights, const UNetConfig& config, const DecoderUnitPlan& plan);
  /// `next_skip` is what the following unit takes: its size is where an upsample goes.
  at::Tensor operator()(const at::Tensor& h, const at::Tensor& skip, const at::Tensor& next_skip,
                        const UnitInput& input) const;

 private:
  ResnetUnit body_;
  std::optional<Upsample> upsample_;
};

}  // namespace refrain::diffusion
