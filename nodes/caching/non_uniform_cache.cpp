#include <refrain/plugin.hpp>

#include <refrain/diffusion/policies.hpp>

namespace {

using namespace refrain;

/// DeepCache's non-uniform policy (arXiv:2312.00858, section 3.3, eq. 7).
class NonUniformCache final : public Node {
 public:
  static constexpr Param<int> interval{"interval", 5, {1, 1000}, "steps for each full one, on the average"};
  static constexpr Param<int> depth{
      "depth", 0, {0, 99}, "skips that are recomputed at the other steps, less one; below the model's number of skips"};
  static constexpr Param<int> center{
      "center", 15, {0, 10000}, "the step around which full ones lie densest; the paper: 10 to 20 of 50, 120 of 250"};
  static constexpr Param<double> power{
      "power", 1.4, {0.1, 10.0, 0.05, 0.01}, "how unevenly they are spread; the paper: 1.2 to 1.5"};
  static constexpr Choice formula{"formula",
                                  {"reference", "paper"},
                                  "reference: the steps of the authors' code, as in all published pictures; paper: "
                                  "equation 7 as written"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"NonUniformCache",
                  "refrain/caching",
                  "DeepCache's non-uniform schedule: full steps are denser where features change faster.",
                  {interval, depth, center, power, formula},
                  {policy}}
        .titled("Non-uniform Cache");
  }

  void run(Context& ctx) override {
    const auto form = ctx[formula] == "paper" ? diffusion::CenteredForm::paper : diffusion::CenteredForm::reference;
    ctx.set(policy, std::make_shared<const diffusion::NonUniformCache>(ctx[interval], ctx[depth], ctx[center],
                                                                       ctx[power], form));
  }
};

}  // namespace

REFRAIN_NODE(NonUniformCache)
