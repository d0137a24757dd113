// Sampling of a consistency model: to the picture in one go, then noise for the next sigma.
// Latent Consistency Models: Synthesizing High-Resolution Images with Few-Step Inference. Luo et al. 2023,
// arXiv:2310.04378, algorithm 3.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"
#include "step_noise.hpp"

namespace refrain::diffusion {

at::Tensor sample_lcm(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  StepNoise noise(options.noise_seed);
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    at::Tensor next = denoised;
    if (sigmas[i + 1] > 0) next = noise.like(x) * sigmas[i + 1] + denoised;
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
