#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

namespace {

using namespace refrain;

/// A model whose guidance keeps the contrast of what it guides. Shares everything with the one that goes in.
class RescaleCFG final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Param<double> multiplier{"multiplier", 0.7, {0.0, 1.0, 0.01}, "share of the rescaled guidance"};
  static constexpr Out<diffusion::Model> patched{"MODEL"};

  static Schema schema() {
    return {"RescaleCFG",
            "advanced/model",
            "Scales guidance down to the contrast of the positive prompt's estimate.",
            {model, multiplier},
            {patched}};
  }

  void run(Context& ctx) override {
    diffusion::Model changed = ctx[model];
    changed.cfg_rescale = ctx[multiplier];
    ctx.set(patched, std::move(changed));
  }
};

}  // namespace

REFRAIN_NODE(RescaleCFG)
