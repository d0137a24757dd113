#include "models/unet_units.hpp"

#include <ATen/ops/cat.h>

namespace refrain::diffusion {
namespace {

constexpr Conv2d::Geometry kHalving{3, 2, 1};

std::optional<SpatialTransformer> make_transformer(const Weights& weights, const UNetConfig& config, int width,
                                                   int depth) {
  if (depth == 0) return std::nullopt;
  return SpatialTransformer(weights, {width, heads_for(config, width), config.context_dim, depth});
}

std::variant<Conv2d, ResnetUnit> make_body(const Weights& weights, const UNetConfig& config,
                                           const EncoderUnitPlan& plan) {
  switch (plan.kind) {
    case EncoderUnitPlan::Kind::conv_in: return Conv2d(weights / 0, plan.in, plan.out);
    case EncoderUnitPlan::Kind::downsample: return Conv2d(weights / 0 / "op", plan.in, plan.out, kHalving);
    case EncoderUnitPlan::Kind::resnet: break;
  }
  return ResnetUnit(weights, config, plan.in, plan.out, plan.transformer_depth);
}

ResnetBlock make_resnet(const Weights& weights, const UNetConfig& config, int in, int out) {
  return {weights, kUNetResnet, in, out, 4 * config.model_channels};
}

}  // namespace

ResnetUnit::ResnetUnit(const Weights& weights, const UNetConfig& config, int in, int out, int transformer_depth)
    : resnet_(make_resnet(weights / 0, config, in, out)),
      transformer_(make_transformer(weights / 1, config, out, transformer_depth)) {}

at::Tensor ResnetUnit::operator()(const at::Tensor& h, const UnitInput& input) const {
  at::Tensor y = resnet_(h, input.silu_of_embedding);
  return transformer_ ? (*transformer_)(y, input.context) : y;
}

EncoderUnit::EncoderUnit(const Weights& weights, const UNetConfig& config, const EncoderUnitPlan& plan)
    : body_(make_body(weights, config, plan)) {}

at::Tensor EncoderUnit::operator()(const at::Tensor& h, const UnitInput& input) const {
  if (const auto* conv = std::get_if<Conv2d>(&body_)) return (*conv)(h);
  return std::get<ResnetUnit>(body_)(h, input);
}

MiddleUnit::MiddleUnit(const Weights& weights, const UNetConfig& config, const UNetPlan& plan)
    : first_(make_resnet(weights / 0, config, plan.middle_channels, plan.middle_channels)),
      transformer_(make_transformer(weights / 1, config, plan.middle_channels, plan.middle_transformer_depth)),
      second_(make_resnet(weights / (transformer_ ? 2 : 1), config, plan.middle_channels, plan.middle_channels)) {}

at::Tensor MiddleUnit::operator()(const at::Tensor& h, const UnitInput& input) const {
  at::Tensor y = first_(h, input.silu_of_embedding);
  if (transformer_) y = (*transformer_)(y, input.context);
  return second_(y, input.silu_of_embedding);
}

DecoderUnit::DecoderUnit(const Weights& weights, const UNetConfig& config, const DecoderUnitPlan& plan)
    : body_(weights, config, plan.in + plan.skip, plan.out, plan.transformer_depth) {
  if (plan.upsample) upsample_.emplace(weights / (plan.transformer_depth > 0 ? 2 : 1), plan.out);
}

at::Tensor DecoderUnit::operator()(const at::Tensor& h, const at::Tensor& skip, const at::Tensor& next_skip,
                                   const UnitInput& input) const {
  at::Tensor y = body_(at::cat({h, skip}, 1), input);  // h first: [N, C_h + C_skip, h, w]
  return upsample_ ? (*upsample_)(y, next_skip.size(2), next_skip.size(3)) : y;
}

}  // namespace refrain::diffusion
