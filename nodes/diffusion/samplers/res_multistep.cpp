// A multistep exponential integrator of second order, without noise.
// Improved Order Analysis and Design of Exponential Integrator for Diffusion Models Sampling. Zhang, Song, Chen. 2023,
// arXiv:2308.02157 (RES, multistep). The first step and the last, to sigma 0, are Euler's.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_res_multistep(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                                const SamplerOptions& options) {
  const auto finite = [](float value) { return std::isnan(value) ? 0.0F : value; };  // two equal sigmas
  at::Tensor previous;  // the denoised latent of the step before
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    at::Tensor next;
    if (sigmas[i + 1] == 0 || !previous.defined()) {
      next = x + derivative(x, sigmas[i], denoised) * (sigmas[i + 1] - sigmas[i]);
    } else {
      const float t = log_snr(sigmas[i]), h = log_snr(sigmas[i + 1]) - t;
      const float c = (log_snr(sigmas[i - 1]) - t) / h;
      const float phi_1 = std::expm1(-h) / -h, phi_2 = (phi_1 - 1) / -h;
      const float b_now = finite(phi_1 - phi_2 / c), b_previous = finite(phi_2 / c);
      next = std::exp(-h) * x + h * (b_now * denoised + b_previous * previous);
    }
    report(options, sigmas, i, x, denoised);
    previous = denoised;
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
