// Ancestral sampling with midpoint steps: dpm_2 down to below the next sigma, then noise up to it.
// DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps. Lu et al. NeurIPS 2022,
// arXiv:2206.00927 (DPM-Solver-2); Score-Based Generative Modeling through SDEs. Song et al. ICLR 2021, eq. 47.

#include <ATen/TensorOperators.h>

#include "midpoint.hpp"
#include "samplers.hpp"
#include "step_noise.hpp"

namespace refrain::diffusion {

at::Tensor sample_dpm_2_ancestral(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                                  const SamplerOptions& options) {
  StepNoise noise(options.noise_seed);
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1]);
    at::Tensor next = midpoint_step(denoise, x, denoised, sigmas[i], down, i);
    if (down != 0) next = next + noise.like(x) * up;
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
