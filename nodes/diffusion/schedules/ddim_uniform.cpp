// "ddim_uniform": every so many training steps from the second one on, as DDIM chooses them. The distance is a whole
// number, so that there may be more steps than asked for.
// Denoising Diffusion Implicit Models. Song, Meng, Ermon. ICLR 2021, arXiv:2010.02502, appendix D.2 (linear).

#include <algorithm>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor ddim_uniform_sigmas(const NoiseSchedule& schedule, int steps) {
  const float* table = schedule.sigmas().const_data_ptr<float>();
  const int distance = std::max(schedule.steps() / steps, 1);
  std::vector<double> sigmas;
  for (int step = 1; step < schedule.steps(); step += distance) sigmas.push_back(table[step]);
  std::ranges::reverse(sigmas);
  return with_final_zero(sigmas);
}

}  // namespace refrain::diffusion
