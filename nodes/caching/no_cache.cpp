#include <refrain/plugin.hpp>

#include <refrain/diffusion/policies.hpp>

namespace {

using namespace refrain;

/// The policy that always says "full": the baseline to compare with.
class NoCache final : public Node {
 public:
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "every step is computed whole"};

  static Schema schema() {
    return Schema{
        "NoCache", "refrain/caching", "Computes every step whole: the baseline to compare policies with.", {}, {policy}}
        .titled("No Cache");
  }

  void run(Context& ctx) override { ctx.set(policy, std::make_shared<const diffusion::NoCache>()); }
};

}  // namespace

REFRAIN_NODE(NoCache)
