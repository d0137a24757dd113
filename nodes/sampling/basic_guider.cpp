#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include "conditions.hpp"

namespace {

using namespace refrain;

/// One prompt, followed as it is.
class BasicGuider final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr In<Conditioning> conditioning{"conditioning", "what the picture should show"};
  static constexpr Out<diffusion::Guider> guider{"GUIDER"};

  static Schema schema() {
    return {"BasicGuider",
            "sampling/custom_sampling/guiders",
            "Follows one prompt, without guidance.",
            {model, conditioning},
            {guider}};
  }

  void run(Context& ctx) override {
    ctx.set(guider, diffusion::Guider{
                        ctx.share(model), conditions(ctx[conditioning], "BasicGuider", conditioning.name), {}, 1.0});
  }
};

}  // namespace

REFRAIN_NODE(BasicGuider)
