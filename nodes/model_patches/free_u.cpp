#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

namespace {

using namespace refrain;

diffusion::Model patched_with(const diffusion::Model& model, const diffusion::FreeU& patch) {
  diffusion::Model changed = model;
  changed.patches.emplace_back(patch);
  return changed;
}

/// FreeU's first version. Follows ComfyUI's node of that name.
class FreeU final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Param<double> b1{"b1", 1.1, {0.0, 10.0, 0.01}, "backbone factor in the deepest decoder units"};
  static constexpr Param<double> b2{"b2", 1.2, {0.0, 10.0, 0.01}, "backbone factor in the units after them"};
  static constexpr Param<double> s1{"s1", 0.9, {0.0, 10.0, 0.01}, "factor of the skips' low frequencies, deepest"};
  static constexpr Param<double> s2{"s2", 0.2, {0.0, 10.0, 0.01}, "the same in the units after them"};
  static constexpr Out<diffusion::Model> patched{"MODEL"};

  static Schema schema() {
    return {"FreeU",
            "model_patches/unet",
            "Strengthens the U-Net's backbone and weakens what its skips bring in low frequencies.",
            {model, b1, b2, s1, s2},
            {patched}};
  }

  void run(Context& ctx) override {
    const auto version = diffusion::FreeU::Version::first;
    ctx.set(patched, patched_with(ctx[model], {version, ctx[b1], ctx[s1], ctx[b2], ctx[s2]}));
  }
};

/// FreeU's second version. Follows ComfyUI's node of that name.
class FreeU_V2 final : public Node {  // NOLINT(readability-identifier-naming): ComfyUI's name
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Param<double> b1{"b1", 1.3, {0.0, 10.0, 0.01}, "backbone factor in the deepest decoder units"};
  static constexpr Param<double> b2{"b2", 1.4, {0.0, 10.0, 0.01}, "backbone factor in the units after them"};
  static constexpr Param<double> s1{"s1", 0.9, {0.0, 10.0, 0.01}, "factor of the skips' low frequencies, deepest"};
  static constexpr Param<double> s2{"s2", 0.2, {0.0, 10.0, 0.01}, "the same in the units after them"};
  static constexpr Out<diffusion::Model> patched{"MODEL"};

  static Schema schema() {
    return {"FreeU_V2",
            "model_patches/unet",
            "FreeU with backbone factors that follow the feature from place to place.",
            {model, b1, b2, s1, s2},
            {patched}};
  }

  void run(Context& ctx) override {
    const auto version = diffusion::FreeU::Version::second;
    ctx.set(patched, patched_with(ctx[model], {version, ctx[b1], ctx[s1], ctx[b2], ctx[s2]}));
  }
};

}  // namespace

REFRAIN_NODE(FreeU)
REFRAIN_NODE(FreeU_V2)
