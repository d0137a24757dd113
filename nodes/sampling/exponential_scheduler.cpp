#include <refrain/plugin.hpp>

#include <refrain/diffusion/noise_schedule.hpp>

#include "unrounded.hpp"

namespace {

using namespace refrain;

/// Noise levels evenly spaced in their logarithm.
class ExponentialScheduler final : public Node {
 public:
  static constexpr Param<std::int64_t> steps{"steps", 20, {1, 10000}, "of the run"};
  static constexpr Param<double> sigma_max{"sigma_max", 14.614642, {0.0, 5000.0, 0.01}, "the first noise level"};
  static constexpr Param<double> sigma_min{"sigma_min", 0.0291675, {0.0, 5000.0, 0.01}, "the last one above 0"};
  static constexpr Out<Sigmas> sigmas{"SIGMAS", "steps + 1 of them, the last 0"};

  static Schema schema() {
    return {"ExponentialScheduler",
            "sampling/custom_sampling/schedulers",
            "Chooses noise levels that are evenly spaced in their logarithm.",
            {steps, unrounded(sigma_max), unrounded(sigma_min)},
            {sigmas}};
  }

  void run(Context& ctx) override {
    ctx.set(sigmas,
            Sigmas{diffusion::exponential_sigmas(static_cast<int>(ctx[steps]), ctx[sigma_max], ctx[sigma_min])});
  }
};

}  // namespace

REFRAIN_NODE(ExponentialScheduler)
