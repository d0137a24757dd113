// Heun's method: a step with the mean of the slopes at its two ends. The last step, to sigma 0, is Euler's.
// Elucidating the Design Space of Diffusion-Based Generative Models. Karras et al. NeurIPS 2022, arXiv:2206.00364,
// algorithm 2 without churn.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_heun(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                       const SamplerOptions& options) {
  for (int i = 0; i < step_count(sigmas); ++i) {
    const float step = sigmas[i + 1] - sigmas[i];
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const at::Tensor d = derivative(x, sigmas[i], denoised);
    at::Tensor next = x + d * step;
    if (sigmas[i + 1] != 0) {
      const at::Tensor denoised_there = denoise(next, sigmas[i + 1], {i, 1});
      const at::Tensor d_there = derivative(next, sigmas[i + 1], denoised_there);
      next = x + (d + d_there) / 2 * step;
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
