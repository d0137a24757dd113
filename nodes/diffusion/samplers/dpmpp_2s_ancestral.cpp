// Ancestral sampling with DPM-Solver++(2S): a second order step of two evaluations down to below the next sigma, then
// noise up to it.
// DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models. Lu et al. 2022, arXiv:2211.01095,
// algorithm 1 with r = 1/2. The last step, to sigma 0, is Euler's.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"
#include "step_noise.hpp"

namespace refrain::diffusion {

at::Tensor sample_dpmpp_2s_ancestral(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                                     const SamplerOptions& options) {
  StepNoise noise(options.noise_seed);
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1]);
    at::Tensor next;
    if (down == 0) {
      next = x + derivative(x, sigmas[i], denoised) * (down - sigmas[i]);
    } else {
      const float t = log_snr(sigmas[i]), h = log_snr(down) - t, middle = t + 0.5F * h;
      const at::Tensor x_middle = std::exp(-middle) / std::exp(-t) * x - std::expm1(-h * 0.5F) * denoised;
      const at::Tensor denoised_there = denoise(x_middle, std::exp(-middle), {i, 1});
      next = std::exp(-log_snr(down)) / std::exp(-t) * x - std::expm1(-h) * denoised_there;
    }
    if (sigmas[i + 1] > 0) next = next + noise.like(x) * up;
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
