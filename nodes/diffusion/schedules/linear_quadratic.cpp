// "linear_quadratic": half the steps go evenly through the first 2.5 % of the way, the others ever faster through the
// rest, so that the slope has no jump.
// Movie Gen: A Cast of Media Foundation Models. Polyak et al. 2024, arXiv:2410.13720, section 3.4.2; as Genmo's Mochi
// computes it.

#include <ATen/TensorOperators.h>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor linear_quadratic_sigmas(const NoiseSchedule& schedule, int steps) {
  constexpr double kThreshold = 0.025;
  std::vector<double> shares{1};  // of the largest sigma
  if (steps > 1) {
    shares.clear();
    const int linear = steps / 2, quadratic = steps - linear;
    const double rest = linear - kThreshold * steps;
    const double a = rest / (linear * static_cast<double>(quadratic) * quadratic);
    const double b = kThreshold / linear - 2 * rest / (static_cast<double>(quadratic) * quadratic);
    const double c = a * (static_cast<double>(linear) * linear);
    for (int i = 0; i < linear; ++i) shares.push_back(1 - i * kThreshold / linear);
    for (int i = linear; i < steps; ++i) shares.push_back(1 - (a * (static_cast<double>(i) * i) + b * i + c));
  }
  return with_final_zero(shares) * schedule.sigma_max();
}

}  // namespace refrain::diffusion
