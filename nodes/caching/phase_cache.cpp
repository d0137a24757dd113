#include <refrain/plugin.hpp>

#include <refrain/diffusion/composed_policies.hpp>

namespace {

using namespace refrain;

/// A policy in a window of the model's training schedule.
class PhaseCache final : public Node {
 public:
  static constexpr In<diffusion::CachePolicy> inner{"policy", "what to do within the phase"};
  static constexpr Param<double> start{
      "start_percent", 0.0, {0.0, 1.0, 0.01}, "share of the noise levels after which the phase begins; 0 is all noise"};
  static constexpr Param<double> end{"end_percent", 1.0, {0.0, 1.0, 0.01}, "share after which it ends"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"PhaseCache",
                  "refrain/caching",
                  "Follows a cache policy in one phase of the run, and computes every step whole outside of it.",
                  {inner, start, end},
                  {policy}}
        .titled("Phase Cache");
  }

  void validate(Literals& in) const override {
    const double *from = in[start], *to = in[end];
    if (from && to && *from > *to) in.reject(end, "the phase ends before it begins");
  }

  void run(Context& ctx) override {
    ctx.set(policy, std::make_shared<const diffusion::PhaseCache>(ctx.share(inner), ctx[start], ctx[end]));
  }
};

}  // namespace

REFRAIN_NODE(PhaseCache)
