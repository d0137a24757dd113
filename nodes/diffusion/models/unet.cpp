#include <refrain/diffusion/unet.hpp>

#include "models/patch_hooks.hpp"
#include "models/timestep_embedding.hpp"
#include "models/unet_plan.hpp"
#include "models/unet_units.hpp"
#include "ops/packed.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/silu.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <sstream>
#include <string>
#include <utility>

namespace refrain::diffusion {
namespace {

/// Epsilon of the head's norm: the resnets' own.
double norm_eps(const UNetConfig& config) { return config.style == UNetStyle::ldm ? kUNetResnet.eps : kDdpmResnet.eps; }

[[noreturn]] void wrong_shape(const std::string& what, at::IntArrayRef found, const std::string& wanted) {
  std::ostringstream message;
  message << "U-Net: " << what << " has the shape " << found << "; it must be " << wanted;
  throw ShapeError("unet_input", message.str());
}

/// Channels of the shallowest decoder unit's output.
int last_width(const UNetConfig& config) { return config.model_channels * config.channel_mult.front(); }

std::vector<EncoderUnit> make_encoder(const Weights& weights, const UNetConfig& config, const UNetPlan& plan) {
  std::vector<EncoderUnit> units;
  for (int n = 0; n < plan.skips(); ++n) units.emplace_back(weights, config, plan.encoder[n]);
  return units;
}

std::vector<DecoderUnit> make_decoder(const Weights& weights, const UNetConfig& config, const UNetPlan& plan) {
  std::vector<DecoderUnit> units;
  for (int j = 0; j < plan.skips(); ++j) units.emplace_back(weights, config, plan.decoder[j]);
  return units;
}

}  // namespace

struct UNet::Parts {
  Parts(const UNetConfig& unet_config, const Weights& weights)
      : config(unet_config),
        plan(plan_unet(unet_config)),
        placement(weights.placement()),
        time_embedding(weights / plan.time_first, weights / plan.time_second, config.model_channels, plan.time_channels,
                       config.style),
        encoder(make_encoder(weights, config, plan)),
        middle(weights, config, plan),
        decoder(make_decoder(weights, config, plan)),
        output_norm(weights / plan.output_norm, last_width(config), norm_eps(config)),
        output_conv(weights / plan.output_conv, last_width(config), config.out_channels) {}

  void check(const UNetInput& input) const;
  int check(const Evaluate& evaluate) const;
  void check_feature(const at::Tensor& feature, int depth, const at::Tensor& skip, bool any_sides) const;
  void check_encoder(const EncoderOutput* encoder, const at::Tensor& latent) const;
  at::Tensor place(const at::Tensor& tensor) const { return tensor.to(placement.device, placement.dtype); }

  UNetConfig config;
  UNetPlan plan;
  Placement placement;
  TimestepEmbedding time_embedding;
  std::vector<EncoderUnit> encoder;
  MiddleUnit middle;
  std::vector<DecoderUnit> decoder;
  GroupNorm output_norm;
  Conv2d output_conv;
};

void UNet::Parts::check(const UNetInput& input) const {
  if (input.latent.dim() != 4 || input.latent.size(1) != config.in_channels || input.latent.numel() == 0) {
    wrong_shape("the latent", input.latent.sizes(), "[N, " + std::to_string(config.in_channels) + ", h, w]");
  }
  const std::string batch = std::to_string(input.latent.size(0));
  if (input.timesteps.dim() != 1 || input.timesteps.size(0) != input.latent.size(0)) {
    wrong_shape("the list of time steps", input.timesteps.sizes(), "[" + batch + "], one for each latent");
  }
  if (config.context_dim > 0 && (input.context.dim() != 3 || input.context.size(0) != input.latent.size(0) ||
                                 input.context.size(1) == 0 || input.context.size(2) != config.context_dim)) {
    wrong_shape("the text", input.context.sizes(),
                "[" + batch + ", T, " + std::to_string(config.context_dim) +
                    "]; perhaps it was encoded by another model's text encoder");
  }
}

int UNet::Parts::check(const Evaluate& evaluate) const {
  if (evaluate.kind == Evaluate::Kind::nothing) {
    throw ModelError("evaluate_unsupported",
                     "evaluating nothing is not the U-Net's business: the cached denoiser estimates the result");
  }
  if (evaluate.kind != Evaluate::Kind::deep) return plan.skips();
  if (evaluate.depth < 0 || evaluate.depth >= plan.skips()) {
    throw ShapeError("unet_depth", "U-Net: depth " + std::to_string(evaluate.depth) + " is outside 0.." +
                                       std::to_string(plan.skips() - 1));
  }
  return evaluate.depth;
}

void UNet::Parts::check_feature(const at::Tensor& feature, int depth, const at::Tensor& skip, bool any_sides) const {
  const DecoderUnitPlan& unit = plan.decoder[plan.skips() - 1 - depth];
  if (!feature.defined()) {
    throw ShapeError("unet_feature",
                     "U-Net: depth " + std::to_string(depth) + " needs a kept feature, and none was given");
  }
  std::vector<std::int64_t> wanted{skip.size(0), unit.in, skip.size(2), skip.size(3)};
  if (any_sides && feature.dim() == 4) wanted = {skip.size(0), unit.in, feature.size(2), feature.size(3)};
  if (feature.sizes() != at::IntArrayRef(wanted)) {
    std::ostringstream text;
    text << at::IntArrayRef(wanted) << " at depth " << depth;
    wrong_shape("the kept feature", feature.sizes(), text.str());
  }
}

void UNet::Parts::check_encoder(const EncoderOutput* encoder, const at::Tensor& latent) const {
  const std::size_t skips = encoder ? encoder->skips.size() : 0;
  if (skips != plan.encoder.size() || !encoder->middle.defined()) {
    throw ShapeError("unet_encoder", "U-Net: the decoder needs the middle output and " + std::to_string(plan.skips()) +
                                         " kept skips; there are " + std::to_string(skips));
  }
  const at::Tensor& first = encoder->skips.front();  // as large as the latent
  const std::vector<std::int64_t> wanted{latent.size(0), config.model_channels, latent.size(2), latent.size(3)};
  if (first.sizes() != at::IntArrayRef(wanted)) {
    std::ostringstream text;
    text << at::IntArrayRef(wanted);
    wrong_shape("the first kept skip", first.sizes(), text.str());
  }
}

UNet::UNet(const UNetConfig& config, const Weights& weights) {
  const packed::Workspace workspace;
  parts_ = std::make_unique<Parts>(config, weights);
}
UNet::~UNet() = default;

const UNetConfig& UNet::config() const { return parts_->config; }
int UNet::skips() const { return parts_->plan.skips(); }

UNetResult UNet::evaluate(const UNetInput& input, const UNetRequest& request) const {
  const at::NoGradGuard no_grad;
  const packed::Workspace workspace;  // a new size's convolutions are packed here
  const Parts& parts = *parts_;
  parts.check(input);
  const int depth = parts.check(request.evaluate);  // S: the whole decoder runs
  const int skips = parts.plan.skips();
  const bool encoder_reused = request.evaluate.kind == Evaluate::Kind::encoder_reused;
  at::Tensor embedding = parts.time_embedding(input.timesteps.to(parts.placement.device), input.frequencies);
  const UnitInput unit_input{at::silu_(embedding),
                             parts.config.context_dim > 0 ? parts.place(input.context) : at::Tensor()};

  const PatchHooks hooks(input.patches, input.sigma, parts.config.model_channels);
  at::Tensor h = parts.place(input.latent).contiguous(at::MemoryFormat::ChannelsLast);
  std::vector<at::Tensor> skip;  // s_0 .. s_min(depth, S - 1)
  for (int n = 0; !encoder_reused && n <= std::min(depth, skips - 1); ++n) {
    h = hooks.before_skip(parts.encoder[n](h, unit_input), n);
    skip.push_back(h);
    if (n < depth) h = hooks.after_skip(h, n);
  }
  if (encoder_reused) {
    parts.check_encoder(request.encoder, input.latent);
    skip = request.encoder->skips;
    h = request.encoder->middle;
  } else if (depth == skips) {
    h = parts.middle(h, unit_input);
  } else {
    parts.check_feature(request.feature, depth, skip.back(), hooks.resize());
    h = parts.place(request.feature).contiguous(at::MemoryFormat::ChannelsLast);
  }

  UNetResult result;
  result.kept.resize(request.keep.size());
  if (request.keep_encoder && request.evaluate == Evaluate::full()) result.encoder = {skip, h};
  const int computed = encoder_reused ? skips - 1 : depth;  // every h_k below
  for (int k = static_cast<int>(skip.size()) - 1; k >= 0; --k) {
    for (std::size_t i = 0; i < request.keep.size(); ++i) {
      if (request.keep[i] == k && k < computed) result.kept[i] = h;
    }
    auto [backbone, joined] = hooks.before_joining(h, skip[k]);
    h = parts.decoder[skips - 1 - k](backbone, joined, skip[std::max(k - 1, 0)], unit_input);
    skip[k].reset();
  }
  h = parts.output_conv(parts.output_norm.silu(h));
  result.prediction = h.to(input.latent.options()).contiguous();
  return result;
}

Macs UNet::macs(Evaluate evaluate, int h, int w, int context_tokens, std::span<const UNetPatch> patches,
                float sigma) const {
  return macs_of(parts_->config, evaluate, h, w, context_tokens, patches, sigma);
}

}  // namespace refrain::diffusion
