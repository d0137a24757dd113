// "karras": evenly spaced in sigma^(1/rho), rho = 7.
// Elucidating the Design Space of Diffusion-Based Generative Models. Karras et al. NeurIPS 2022, arXiv:2206.00364,
// eq. 5.

#include <ATen/TensorOperators.h>
#include <ATen/ops/linspace.h>
#include <refrain/diffusion/error.hpp>

#include <cmath>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor karras_sigmas(int steps, double first, double last, double rho) {
  if (rho == 0) throw Error("bad_rho", "sigmas can't be spaced evenly in sigma^(1 / rho) with a rho of 0; try 7");
  const double high = std::pow(first, 1 / rho), low = std::pow(last, 1 / rho);
  const at::Tensor ramp = at::linspace(0, 1, steps, at::kFloat);
  return with_final_zero((high + ramp * (low - high)).pow(rho));
}

at::Tensor karras_sigmas(const NoiseSchedule& schedule, int steps) {
  return karras_sigmas(steps, schedule.sigma_max(), schedule.sigma_min());
}

}  // namespace refrain::diffusion
