#include <refrain/plugin.hpp>

#include <algorithm>

namespace {

using namespace refrain;

/// Noise levels in two parts, for two runs after each other; both have the one at which they meet.
class SplitSigmas final : public Node {
 public:
  static constexpr In<Sigmas> sigmas{"sigmas", "of the whole run"};
  static constexpr Param<std::int64_t> step{"step", 0, {0, 10000}, "the first step of the second part"};
  static constexpr Out<Sigmas> high_sigmas{"high_sigmas", "of the steps before"};
  static constexpr Out<Sigmas> low_sigmas{"low_sigmas", "of the steps from there on"};

  static Schema schema() {
    return {"SplitSigmas",
            "sampling/custom_sampling/sigmas",
            "Cuts noise levels in two, for two runs after each other.",
            {sigmas, step},
            {high_sigmas, low_sigmas}};
  }

  void run(Context& ctx) override {
    const at::Tensor& all = ctx[sigmas].values;
    const std::int64_t count = all.size(0), at = std::min(ctx[step], count);
    ctx.set(high_sigmas, Sigmas{all.narrow(0, 0, std::min(at + 1, count))});
    ctx.set(low_sigmas, Sigmas{all.narrow(0, at, count - at)});
  }
};

}  // namespace

REFRAIN_NODE(SplitSigmas)
