// What an evaluation of a U-Net costs, from its sizes alone.
// Counted as DeepCache's flops.py does: a multiply-accumulate of a convolution or a linear layer is one; so is the
// addition of a convolution's bias to one element, and that of a linear layer's bias to all rows at once; a norm is two
// for each element, where the counter knows its class. The products of attention stand apart, and so does what the
// counter overlooks: a linear layer's bias is added to every row, and a norm of another class works as well.

#include "models/patch_hooks.hpp"
#include "models/unet_plan.hpp"

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/unet.hpp>

#include <cstdint>
#include <string>
#include <utility>

namespace refrain::diffusion {
namespace {

struct Size {
  double h = 0;
  double w = 0;
  double places() const { return h * w; }
};

class Counter {
 public:
  Counter(const UNetConfig& config, int context_tokens) : config_(config), tokens_(context_tokens) {}

  const Macs& macs() const { return macs_; }

  void linear(double in, double out, double rows, bool bias = true) {
    macs_.module += in * out * rows + (bias ? out : 0);
    macs_.overlooked += bias ? out * (rows - 1) : 0;
  }
  void conv(double in, double out, double kernel, Size to) {
    macs_.module += (in * kernel * kernel + 1) * out * to.places();
  }
  void norm(double channels, double places) { macs_.module += 2 * channels * places; }

  void resnet_norm(double channels, double places) {
    if (config_.resnet_norms_counted) return norm(channels, places);
    macs_.overlooked += 2 * channels * places;
  }

  void resnet(double in, double out, Size size) {
    resnet_norm(in, size.places());
    conv(in, out, 3, size);
    linear(4.0 * config_.model_channels, out, 1);
    resnet_norm(out, size.places());
    conv(out, out, 3, size);
    if (in != out) conv(in, out, 1, size);
  }

  /// What follows a resnet.
  void after_resnet(double width, int depth, Size size) {
    if (depth > 0) config_.style == UNetStyle::ldm ? transformer(width, depth, size) : places(width, size);
  }

 private:
  /// Attention over places: a norm and four 1x1 convolutions.
  void places(double width, Size size) {
    norm(width, size.places());
    for (int i = 0; i < 4; ++i) conv(width, width, 1, size);
    macs_.attention += 2 * size.places() * size.places() * width;
  }

  void transformer(double width, int depth, Size size) {
    const double places = size.places();
    norm(width, places);
    conv(width, width, 1, size);  // proj_in; linear in some families, which is the same but for the bias
    for (int i = 0; i < depth; ++i) {
      attention(width, width, places, places);
      config_.context_dim > 0 ? attention(width, config_.context_dim, places, tokens_)
                              : attention(width, width, places, places);
      norm(width, places);
      linear(width, 8 * width, places);
      linear(4 * width, width, places);
    }
    conv(width, width, 1, size);
  }

  void attention(double width, double context_width, double queries, double keys) {
    norm(width, queries);
    linear(width, width, queries, false);
    linear(context_width, width, keys, false);
    linear(context_width, width, keys, false);
    linear(width, width, queries);
    macs_.attention += 2 * queries * keys * width;
  }

  const UNetConfig& config_;
  double tokens_;
  Macs macs_;
};

/// Sides of h through the network.
struct Sizes {
  std::vector<Size> outputs;  // of the encoder's units
  std::vector<Size> skips;
  Size middle;
};

Sizes sizes_of(const UNetConfig& config, const UNetPlan& plan, int h, int w, const PatchHooks& hooks) {
  const int up = config.style == UNetStyle::ldm ? 1 : 0;  // how odd sides are rounded (downsample.hpp)
  std::pair<std::int64_t, std::int64_t> sides{h, w};
  const auto size = [&] { return Size{static_cast<double>(sides.first), static_cast<double>(sides.second)}; };
  Sizes sizes;
  for (int n = 0; n < plan.skips(); ++n) {
    if (plan.encoder[n].kind == EncoderUnitPlan::Kind::downsample) {
      sides = {(sides.first + up) / 2, (sides.second + up) / 2};
    }
    sizes.outputs.push_back(size());
    sides = hooks.before_skip(sides, n);
    sizes.skips.push_back(size());
    sides = hooks.after_skip(sides, n);
  }
  sizes.middle = size();
  return sizes;
}

void count_encoder_unit(Counter& counter, const EncoderUnitPlan& unit, Size size) {
  if (unit.kind != EncoderUnitPlan::Kind::resnet) return counter.conv(unit.in, unit.out, 3, size);
  counter.resnet(unit.in, unit.out, size);
  counter.after_resnet(unit.out, unit.transformer_depth, size);
}

}  // namespace

Macs macs_of(const UNetConfig& config, Evaluate evaluate, int h, int w, int context_tokens,
             std::span<const UNetPatch> patches, float sigma) {
  const UNetPlan plan = plan_unet(config);
  if (evaluate.kind == Evaluate::Kind::nothing) return {};
  if (evaluate.kind == Evaluate::Kind::deep && (evaluate.depth < 0 || evaluate.depth >= plan.skips())) {
    throw ShapeError("unet_depth", "U-Net: depth " + std::to_string(evaluate.depth) + " is outside 0.." +
                                       std::to_string(plan.skips() - 1));
  }
  const Sizes sizes = sizes_of(config, plan, h, w, PatchHooks(patches, sigma, config.model_channels));
  const bool encoder = evaluate.kind != Evaluate::Kind::encoder_reused;
  const bool full = evaluate.kind == Evaluate::Kind::full;
  const int depth = evaluate.kind == Evaluate::Kind::deep ? evaluate.depth : plan.skips() - 1;

  Counter counter(config, context_tokens);
  counter.linear(config.model_channels, plan.time_channels, 1);
  counter.linear(plan.time_channels, plan.time_channels, 1);
  for (int n = 0; encoder && n <= depth; ++n) count_encoder_unit(counter, plan.encoder[n], sizes.outputs[n]);
  if (full) {
    counter.resnet(plan.middle_channels, plan.middle_channels, sizes.middle);
    counter.after_resnet(plan.middle_channels, plan.middle_transformer_depth, sizes.middle);
    counter.resnet(plan.middle_channels, plan.middle_channels, sizes.middle);
  }
  for (int k = depth; k >= 0; --k) {
    const DecoderUnitPlan& unit = plan.decoder[plan.skips() - 1 - k];
    counter.resnet(unit.in + unit.skip, unit.out, sizes.skips[k]);
    counter.after_resnet(unit.out, unit.transformer_depth, sizes.skips[k]);
    if (unit.upsample) counter.conv(unit.out, unit.out, 3, sizes.skips[k - 1]);
  }
  const double last = plan.decoder.back().out;
  counter.resnet_norm(last, sizes.skips[0].places());
  counter.conv(last, config.out_channels, 3, sizes.skips[0]);
  return counter.macs();
}

}  // namespace refrain::diffusion
