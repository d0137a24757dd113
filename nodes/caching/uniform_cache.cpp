#include <refrain/plugin.hpp>

#include <refrain/diffusion/policies.hpp>

namespace {

using namespace refrain;

/// DeepCache's uniform policy (arXiv:2312.00858, section 3.3).
class UniformCache final : public Node {
 public:
  static constexpr Param<int> interval{"interval", 5, {1, 1000}, "a full step every so many steps; 1 reuses nothing"};
  static constexpr Param<int> depth{"depth",
                                    0,
                                    {0, 99},
                                    "skips that are recomputed at the other steps, less one: 0 is the fastest; "
                                    "must be below the model's number of skips (12 for SD 1.x)"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{
        "UniformCache",
        "refrain/caching",
        "DeepCache: computes the whole U-Net every few steps, and its shallow part around a kept feature between.",
        {interval, depth},
        {policy}}
        .titled("Uniform Cache");
  }

  void run(Context& ctx) override {
    ctx.set(policy, std::make_shared<const diffusion::UniformCache>(ctx[interval], ctx[depth]));
  }
};

}  // namespace

REFRAIN_NODE(UniformCache)
