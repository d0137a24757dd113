#include <refrain/plugin.hpp>

#include <refrain/diffusion/adaptive_policies.hpp>

#include "cached_model.hpp"

namespace {

using namespace refrain;

/// ComfyUI's node of that name, with its decisions.
class EasyCache final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network"};
  static constexpr Param<double> threshold{
      "reuse_threshold", 0.2, {0.0, 3.0, 0.01}, "of the accumulated relative change; more reuses more"};
  static constexpr Param<double> start{
      "start_percent", 0.15, {0.0, 1.0, 0.01}, "share of the noise levels before which nothing is reused"};
  static constexpr Param<double> end{"end_percent", 0.95, {0.0, 1.0, 0.01}, "share after which nothing is reused"};
  static constexpr Param<bool> verbose{"verbose", false,
                                       "logs the settings; what each step did is in the run's report"};
  static constexpr Out<diffusion::Model> cached{"MODEL", "the same network, cached"};

  static Schema schema() {
    return Schema{"EasyCache",
                  "advanced/debug/model",
                  "Skips the U-Net while the predicted change of its output stays below a threshold.",
                  {model, threshold, start, end, verbose},
                  {cached}}
        .mark_experimental();
  }

  void run(Context& ctx) override {
    auto policy =
        std::make_shared<const diffusion::EasyCache>(diffusion::StepCacheWindow{ctx[threshold], ctx[start], ctx[end]});
    if (ctx[verbose]) ctx.log(policy->describe());
    ctx.set(cached, with_cache(ctx[model], std::move(policy)));
  }
};

}  // namespace

REFRAIN_NODE(EasyCache)
