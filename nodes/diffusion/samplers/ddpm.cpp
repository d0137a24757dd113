// Ancestral sampling of the variance preserving process.
// Denoising Diffusion Probabilistic Models. Ho, Jain, Abbeel. NeurIPS 2020, arXiv:2006.11239, algorithm 2, with the
// smaller of its two variances; alpha between two sigmas is the quotient of their 1 / (1 + s^2).

#include <ATen/TensorOperators.h>

#include "samplers.hpp"
#include "step_noise.hpp"

namespace refrain::diffusion {

at::Tensor sample_ddpm(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  StepNoise noise(options.noise_seed);
  for (int i = 0; i < step_count(sigmas); ++i) {
    const float from = sigmas[i], to = sigmas[i + 1];
    const at::Tensor denoised = denoise(x, from, {i, 0});
    const at::Tensor scaled = x / std::sqrt(1 + from * from), eps = (x - denoised) / from;
    const float product = 1 / (from * from + 1), product_to = 1 / (to * to + 1);
    const float alpha = product / product_to;
    at::Tensor next = std::sqrt(1 / alpha) * (scaled - (1 - alpha) * eps / std::sqrt(1 - product));
    if (to > 0) {
      next = next + std::sqrt((1 - alpha) * (1 - product_to) / (1 - product)) * noise.like(x);
      next = next * std::sqrt(1 + to * to);
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
