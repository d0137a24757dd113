// "karras": evenly spaced in sigma^(1/rho), rho = 7.
// Elucidating the Design Space of Diffusion-Based Generative Models. Karras et al. NeurIPS 2022, arXiv:2206.00364,
// eq. 5.

#include <ATen/TensorOperators.h>
#include <ATen/ops/linspace.h>

#include <cmath>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor karras_sigmas(const NoiseSchedule& schedule, int steps) {
  constexpr double rho = 7;
  const double first = std::pow(static_cast<double>(schedule.sigma_max()), 1 / rho);
  const double last = std::pow(static_cast<double>(schedule.sigma_min()), 1 / rho);
  const at::Tensor ramp = at::linspace(0, 1, steps, at::kFloat);
  return with_final_zero((first + ramp * (last - first)).pow(rho));
}

}  // namespace refrain::diffusion
