// "normal": evenly spaced training steps, both ends included. Follows comfy/samplers.py (normal_scheduler).

#include <ATen/ops/linspace.h>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor normal_sigmas(const NoiseSchedule& schedule, int steps) {
  const double first = schedule.timestep(schedule.sigma_max());
  const double last = schedule.timestep(schedule.sigma_min());
  return with_final_zero(schedule.sigma(at::linspace(first, last, steps, at::kFloat)));
}

}  // namespace refrain::diffusion
