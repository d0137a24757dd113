#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

namespace {

using namespace refrain;

/// A model whose U-Net follows a cache policy. The weights are shared with the model that goes in.
class ApplyCachePolicy final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network"};
  static constexpr In<diffusion::CachePolicy> policy{"policy", "what to recompute at each step, what to reuse"};
  static constexpr Out<diffusion::Model> cached{"MODEL", "the same network, run by the policy"};

  static Schema schema() {
    return Schema{"ApplyCachePolicy",
                  "refrain/caching",
                  "Lets a cache policy decide what the U-Net computes at each step.",
                  {model, policy},
                  {cached}}
        .titled("Apply Cache Policy");
  }

  void run(Context& ctx) override {
    diffusion::Model changed = ctx[model];
    changed.cache_policy = ctx.share(policy);
    ctx.set(cached, std::move(changed));
  }
};

}  // namespace

REFRAIN_NODE(ApplyCachePolicy)
