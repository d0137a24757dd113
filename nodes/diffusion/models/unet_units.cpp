#include "models/unet_units.hpp"

#include <ATen/ops/cat.h>

namespace refrain::diffusion {
namespace {

std::variant<Conv2d, Downsample, ResnetUnit> make_body(const Weights& unet, const UNetConfig& config,
                                                       const EncoderUnitPlan& plan) {
  const auto padding =
      config.style == UNetStyle::ldm ? Downsample::Padding::all_sides : Downsample::Padding::right_and_below;
  switch (plan.kind) {
    case EncoderUnitPlan::Kind::conv_in: return Conv2d(unet / plan.paths.body, plan.in, plan.out);
    case EncoderUnitPlan::Kind::downsample: return Downsample(unet / plan.paths.resample, plan.in, padding);
    case EncoderUnitPlan::Kind::resnet: break;
  }
  return ResnetUnit(unet, config, plan.paths, plan.in, plan.out, plan.transformer_depth);
}

ResnetBlock make_resnet(const Weights& weights, const UNetConfig& config, int in, int out) {
  const ResnetStyle& style = config.style == UNetStyle::ldm ? kUNetResnet : kDdpmResnet;
  return {weights, style, in, out, 4 * config.model_channels};
}

}  // namespace

UnitAttention::UnitAttention(const Weights& unet, const UNetConfig& config, const std::string& path, int width,
                             int depth) {
  if (depth == 0) return;
  if (config.style == UNetStyle::ddpm) {
    body_.emplace<PlaceAttention>(unet / path, width);
  } else {
    const TransformerSizes sizes{width, heads_for(config, width), config.context_dim, depth};
    body_.emplace<SpatialTransformer>(unet / path, sizes);
  }
}

at::Tensor UnitAttention::operator()(const at::Tensor& h, const at::Tensor& context) const {
  if (const auto* transformer = std::get_if<SpatialTransformer>(&body_)) return (*transformer)(h, context);
  if (const auto* places = std::get_if<PlaceAttention>(&body_)) return (*places)(h);
  return h;
}

ResnetUnit::ResnetUnit(const Weights& unet, const UNetConfig& config, const UnitPaths& paths, int in, int out,
                       int depth)
    : resnet_(make_resnet(unet / paths.body, config, in, out)), attention_(unet, config, paths.attention, out, depth) {}

at::Tensor ResnetUnit::operator()(const at::Tensor& h, const UnitInput& input) const {
  return attention_(resnet_(h, input.silu_of_embedding), input.context);
}

EncoderUnit::EncoderUnit(const Weights& unet, const UNetConfig& config, const EncoderUnitPlan& plan)
    : body_(make_body(unet, config, plan)) {}

at::Tensor EncoderUnit::operator()(const at::Tensor& h, const UnitInput& input) const {
  if (const auto* conv = std::get_if<Conv2d>(&body_)) return (*conv)(h);
  if (const auto* downsample = std::get_if<Downsample>(&body_)) return (*downsample)(h);
  return std::get<ResnetUnit>(body_)(h, input);
}

MiddleUnit::MiddleUnit(const Weights& unet, const UNetConfig& config, const UNetPlan& plan)
    : first_(make_resnet(unet / plan.middle_first, config, plan.middle_channels, plan.middle_channels)),
      attention_(unet, config, plan.middle_attention, plan.middle_channels, plan.middle_transformer_depth),
      second_(make_resnet(unet / plan.middle_second, config, plan.middle_channels, plan.middle_channels)) {}

at::Tensor MiddleUnit::operator()(const at::Tensor& h, const UnitInput& input) const {
  return second_(attention_(first_(h, input.silu_of_embedding), input.context), input.silu_of_embedding);
}

DecoderUnit::DecoderUnit(const Weights& unet, const UNetConfig& config, const DecoderUnitPlan& plan)
    : body_(unet, config, plan.paths, plan.in + plan.skip, plan.out, plan.transformer_depth) {
  if (plan.upsample) upsample_.emplace(unet / plan.paths.resample, plan.out);
}

at::Tensor DecoderUnit::operator()(const at::Tensor& h, const at::Tensor& skip, const at::Tensor& next_skip,
                                   const UnitInput& input) const {
  at::Tensor y = body_(at::cat({h, skip}, 1), input);  // h first: [N, C_h + C_skip, h, w]
  return upsample_ ? (*upsample_)(y, next_skip.size(2), next_skip.size(3)) : y;
}

}  // namespace refrain::diffusion
