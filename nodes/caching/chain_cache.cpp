#include <refrain/plugin.hpp>

#include <refrain/diffusion/composed_policies.hpp>

namespace {

using namespace refrain;

/// Two policies in one.
class ChainCache final : public Node {
 public:
  static constexpr In<diffusion::CachePolicy> first{"first", "decides"};
  static constexpr In<diffusion::CachePolicy> second{"second", "decides where the first wants a full evaluation"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"ChainCache",
                  "refrain/caching",
                  "Combines two cache policies: reuses where either says so, the first one first.",
                  {first, second},
                  {policy}}
        .titled("Chain Cache");
  }

  void run(Context& ctx) override {
    ctx.set(policy, std::make_shared<const diffusion::ChainCache>(ctx.share(first), ctx.share(second)));
  }
};

}  // namespace

REFRAIN_NODE(ChainCache)
