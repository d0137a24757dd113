#pragma once
// What ComfyUI's two nodes that skip whole evaluations have in common: all but their name and policy.

#include <refrain/diffusion/adaptive_policies.hpp>
#include <refrain/plugin.hpp>

#include <memory>
#include <utility>

#include "cached_model.hpp"

namespace refrain {

/// A MODEL with a `Policy` of a threshold between two shares of the noise levels. Derive from it and give schema().
template <class Policy>
class StepCacheNode : public Node {
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

  void run(Context& ctx) override {
    auto policy = std::make_shared<const Policy>(diffusion::StepCacheWindow{ctx[threshold], ctx[start], ctx[end]});
    if (ctx[verbose]) ctx.log(policy->describe());
    ctx.set(cached, with_cache(ctx[model], std::move(policy)));
  }

 protected:
  static Schema schema_of(const char* name, const char* description) {
    return Schema{name, "advanced/debug/model", description, {model, threshold, start, end, verbose}, {cached}}
        .mark_experimental();
  }
};

}  // namespace refrain
