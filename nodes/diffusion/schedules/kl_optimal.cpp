// "kl_optimal": evenly spaced in the arc tangent of sigma.
// Align Your Steps: Optimizing Sampling Schedules in Diffusion Models. Sabour, Fidler, Kreis. ICML 2024,
// arXiv:2404.14507, theorem 3.1.

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>

#include <algorithm>
#include <cmath>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor kl_optimal_sigmas(const NoiseSchedule& schedule, int steps) {
  const double first = std::atan(static_cast<double>(schedule.sigma_max()));
  const double last = std::atan(static_cast<double>(schedule.sigma_min()));
  // One step is the first of the levels, where ComfyUI 0.3.64 divides 0 by 0 and draws nothing.
  const at::Tensor share = at::arange(steps, at::kFloat) / std::max(steps - 1, 1);
  return with_final_zero((share * last + (1 - share) * first).tan());
}

}  // namespace refrain::diffusion
