// The midpoint method in log sigma: one evaluation to reach the middle, one there for the whole step.
// DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps. Lu et al. NeurIPS 2022,
// arXiv:2206.00927 (DPM-Solver-2), in the form of k-diffusion. The last step, to sigma 0, is Euler's.

#include <ATen/TensorOperators.h>

#include "midpoint.hpp"
#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_dpm_2(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const at::Tensor next = midpoint_step(denoise, x, denoised, sigmas[i], sigmas[i + 1], i);
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
