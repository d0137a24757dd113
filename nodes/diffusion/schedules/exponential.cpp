// "exponential": evenly spaced in log sigma.
// Score-Based Generative Modeling through Stochastic Differential Equations. Song et al. ICLR 2021, arXiv:2011.13456,
// section 3.4 (the geometric noise levels of SMLD).

#include <ATen/TensorOperators.h>
#include <ATen/ops/linspace.h>
#include <refrain/diffusion/error.hpp>

#include <cmath>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor exponential_sigmas(int steps, double first, double last) {
  if (!(first > 0 && last > 0)) {
    throw Error("bad_sigmas", "sigmas evenly spaced in their logarithm must be positive; raise sigma_min above 0");
  }
  return with_final_zero(at::linspace(std::log(first), std::log(last), steps, at::kFloat).exp());
}

at::Tensor exponential_sigmas(const NoiseSchedule& schedule, int steps) {
  return exponential_sigmas(steps, schedule.sigma_max(), schedule.sigma_min());
}

}  // namespace refrain::diffusion
