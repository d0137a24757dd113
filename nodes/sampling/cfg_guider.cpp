#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include "conditions.hpp"

namespace {

using namespace refrain;

/// Classifier-free guidance between two prompts.
class CFGGuider final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr In<Conditioning> positive{"positive", "what the picture should show"};
  static constexpr In<Conditioning> negative{"negative", "what it should not show"};
  static constexpr Param<double> cfg{"cfg", 8.0, {0.0, 100.0, 0.1, 0.01}, "guidance: how closely to follow the prompt"};
  static constexpr Out<diffusion::Guider> guider{"GUIDER"};

  static Schema schema() {
    return {"CFGGuider",
            "sampling/custom_sampling/guiders",
            "Guides a run by two prompts.",
            {model, positive, negative, cfg},
            {guider}};
  }

  void run(Context& ctx) override {
    ctx.set(guider, diffusion::Guider{ctx.share(model), conditions(ctx[positive], "CFGGuider", positive.name),
                                      conditions(ctx[negative], "CFGGuider", negative.name), ctx[cfg]});
  }
};

}  // namespace

REFRAIN_NODE(CFGGuider)
