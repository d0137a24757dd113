// "sgm_uniform": evenly spaced training steps from the last one, the end left out, as Stability AI's generative-models
// choose them. Follows comfy/samplers.py (normal_scheduler).

#include <ATen/ops/linspace.h>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor sgm_uniform_sigmas(const NoiseSchedule& schedule, int steps) {
  const double first = schedule.timestep(schedule.sigma_max());
  const double last = schedule.timestep(schedule.sigma_min());
  const at::Tensor times = at::linspace(first, last, steps + 1, at::kFloat);
  return with_final_zero(schedule.sigma(times.narrow(0, 0, steps)));
}

}  // namespace refrain::diffusion
