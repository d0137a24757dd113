// DPM-Solver++(2M): second order, multistep, one evaluation a step.
// DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models. Lu et al. 2022, arXiv:2211.01095,
// algorithm 2, with alpha = 1 and lambda = -log sigma. The first step and the last, to sigma 0, are first order.

#include <ATen/TensorOperators.h>

#include <cmath>

#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_dpmpp_2m(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                           const SamplerOptions& options) {
  const auto lambda = [&](int i) { return -std::log(sigmas[i]); };
  at::Tensor previous;  // the denoised latent of the step before
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const float h = lambda(i + 1) - lambda(i);
    at::Tensor d = denoised;
    if (previous.defined() && sigmas[i + 1] != 0) {
      const float r = (lambda(i) - lambda(i - 1)) / h;
      d = (1 + 1 / (2 * r)) * denoised - (1 / (2 * r)) * previous;
    }
    const float share = std::exp(-lambda(i + 1)) / std::exp(-lambda(i));
    const at::Tensor next = share * x - std::expm1(-h) * d;
    report(options, sigmas, i, x, denoised);
    previous = denoised;
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
