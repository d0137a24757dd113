#include <refrain/plugin.hpp>

#include <refrain/diffusion/noise_schedule.hpp>

#include "unrounded.hpp"

namespace {

using namespace refrain;

/// The noise levels of Karras et al. between two given ones.
class KarrasScheduler final : public Node {
 public:
  static constexpr Param<std::int64_t> steps{"steps", 20, {1, 10000}, "of the run"};
  static constexpr Param<double> sigma_max{"sigma_max", 14.614642, {0.0, 5000.0, 0.01}, "the first noise level"};
  static constexpr Param<double> sigma_min{"sigma_min", 0.0291675, {0.0, 5000.0, 0.01}, "the last one above 0"};
  static constexpr Param<double> rho{"rho", 7.0, {0.0, 100.0, 0.01}, "more of it: closer together at the end"};
  static constexpr Out<Sigmas> sigmas{"SIGMAS", "steps + 1 of them, the last 0"};

  static Schema schema() {
    return {"KarrasScheduler",
            "sampling/custom_sampling/schedulers",
            "Chooses noise levels that are evenly spaced in sigma^(1 / rho).",
            {steps, unrounded(sigma_max), unrounded(sigma_min), unrounded(rho)},
            {sigmas}};
  }

  void run(Context& ctx) override {
    ctx.set(sigmas,
            Sigmas{diffusion::karras_sigmas(static_cast<int>(ctx[steps]), ctx[sigma_max], ctx[sigma_min], ctx[rho])});
  }
};

}  // namespace

REFRAIN_NODE(KarrasScheduler)
