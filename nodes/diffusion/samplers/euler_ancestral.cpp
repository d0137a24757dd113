// Ancestral sampling with Euler steps: down to below the next sigma, then noise up to it.
// Score-Based Generative Modeling through Stochastic Differential Equations. Song et al. ICLR 2021, arXiv:2011.13456,
// eq. 47 (ancestral sampling of the variance exploding process), with eta = 1.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"
#include "step_noise.hpp"

namespace refrain::diffusion {

at::Tensor sample_euler_ancestral(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                                  const SamplerOptions& options) {
  StepNoise noise(options.noise_seed);
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1]);
    at::Tensor next = denoised;
    if (down != 0) next = x + derivative(x, sigmas[i], denoised) * (down - sigmas[i]) + noise.like(x) * up;
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
