// Euler's method.
// Elucidating the Design Space of Diffusion-Based Generative Models. Karras et al. NeurIPS 2022, arXiv:2206.00364,
// algorithm 2 without churn and without the correction.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_euler(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                        const SamplerOptions& options) {
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const at::Tensor d = derivative(x, sigmas[i], denoised);
    const at::Tensor next = x + d * (sigmas[i + 1] - sigmas[i]);
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
