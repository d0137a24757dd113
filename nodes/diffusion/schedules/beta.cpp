// "beta": training steps at the quantiles of a beta distribution, alpha = beta = 0.6, that is, closer at both ends;
// those that fall on one step are visited once. Beta Sampling is All You Need: Efficient Image Generation Strategy for
// Diffusion Models using Stepwise Spectral Analysis. Lee et al. 2024, arXiv:2407.12173, section 4.

#include <boost/math/special_functions/beta.hpp>

#include <cmath>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor beta_sigmas(const NoiseSchedule& schedule, int steps) {
  constexpr double kShape = 0.6;
  const float* table = schedule.sigmas().const_data_ptr<float>();
  std::vector<double> sigmas;
  double last = -1;
  for (int i = 0; i < steps; ++i) {
    const double share = 1 - i * (1.0 / steps);
    const double step = std::rint(boost::math::ibeta_inv(kShape, kShape, share) * (schedule.steps() - 1));
    if (step != last) sigmas.push_back(table[static_cast<int>(step)]);
    last = step;
  }
  return with_final_zero(sigmas);
}

}  // namespace refrain::diffusion
