#include <refrain/plugin.hpp>

#include <refrain/diffusion/adaptive_policies.hpp>

namespace {

using namespace refrain;

diffusion::Estimate::Target target_of(const std::string& name) {
  using Target = diffusion::Estimate::Target;
  if (name == "prediction") return Target::prediction;
  return name == "denoised" ? Target::denoised : Target::residual;
}

/// EasyCache as published (arXiv:2507.02860), which ComfyUI's node of that name is not.
class PublishedEasyCache final : public Node {
 public:
  static constexpr Param<double> threshold{"threshold",
                                           0.05,
                                           {0.0, 3.0, 0.01, 0.001},
                                           "of the accumulated relative change of the output; the paper: 0.025 to 0.2"};
  static constexpr Param<int> warm_up{"warm_up", 10, {0, 1000}, "full steps at the beginning; the paper: 10 of 50"};
  static constexpr Choice reuse{"reuse",
                                {"residual", "prediction", "denoised"},
                                "residual: the prediction minus the network's input, as published for flow models; "
                                "prediction or denoised suit models that predict noise better"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"PublishedEasyCache",
                  "refrain/caching",
                  "EasyCache by the rule of its paper: skips the U-Net while the predicted change stays small.",
                  {threshold, warm_up, reuse},
                  {policy}}
        .titled("EasyCache (as published)");
  }

  void run(Context& ctx) override {
    ctx.set(policy,
            std::make_shared<const diffusion::PublishedEasyCache>(ctx[threshold], ctx[warm_up], target_of(ctx[reuse])));
  }
};

}  // namespace

REFRAIN_NODE(PublishedEasyCache)
