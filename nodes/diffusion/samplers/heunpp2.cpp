// Heun++: Heun's method whose slope is a mean of up to three, those at lower noise weighing less.
// From "Heun++" of Carzit's sd-webui-samplers-scheduler, as ComfyUI runs it (comfy/k_diffusion/sampling.py). It extends
// algorithm 2 of Elucidating the Design Space of Diffusion-Based Generative Models, Karras et al. NeurIPS 2022,
// arXiv:2206.00364.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

/// The slope at the end of an Euler step.
struct Slope {
  at::Tensor x;
  at::Tensor d;
};

Slope slope_after(const Denoiser& denoise, const Slope& from, float step, float sigma, Place place) {
  at::Tensor x = from.x + from.d * step;
  at::Tensor d = derivative(x, sigma, denoise(x, sigma, place));
  return {std::move(x), std::move(d)};
}

}  // namespace

at::Tensor sample_heunpp2(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  const float end = sigmas.empty() ? 0 : sigmas.back();
  for (int i = 0; i < step_count(sigmas); ++i) {
    const float step = sigmas[i + 1] - sigmas[i];
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const Slope first{x, derivative(x, sigmas[i], denoised)};
    at::Tensor d = first.d;
    if (sigmas[i + 1] != end) {
      const Slope second = slope_after(denoise, first, step, sigmas[i + 1], {i, 1});
      if (sigmas[i + 2] == end) {
        const float w2 = sigmas[i + 1] / (2 * sigmas[0]);
        d = first.d * (1 - w2) + second.d * w2;
      } else {
        const Slope third = slope_after(denoise, second, sigmas[i + 2] - sigmas[i + 1], sigmas[i + 2], {i, 2});
        const float w2 = sigmas[i + 1] / (3 * sigmas[0]), w3 = sigmas[i + 2] / (3 * sigmas[0]);
        d = (1 - w2 - w3) * first.d + w2 * second.d + w3 * third.d;
      }
    }
    const at::Tensor next = x + d * step;
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
