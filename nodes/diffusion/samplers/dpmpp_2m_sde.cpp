// DPM-Solver++(2M) for the diffusion SDE, one evaluation a step: the midpoint form, eta = 1.
// DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models. Lu et al. 2022, arXiv:2211.01095,
// appendix C (SDE-DPM-Solver++(2M)).

#include <ATen/TensorOperators.h>

#include "brownian_tree.hpp"
#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_dpmpp_2m_sde(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                               const SamplerOptions& options) {
  BrownianNoise noise(x, sigmas, options.noise_seed);
  at::Tensor previous;  // the denoised latent of the step before
  float h_previous = 0;
  for (int i = 0; i < step_count(sigmas); ++i) {
    const float from = sigmas[i], to = sigmas[i + 1];
    const at::Tensor denoised = denoise(x, from, {i, 0});
    at::Tensor next = denoised;
    if (to != 0) {
      const float h = log_snr(to) - log_snr(from);
      const float a = to * std::exp(log_snr(to));  // 1 but for its rounding, which ComfyUI has, too
      const float gain = -std::expm1(-(h * 2));
      next = to / from * std::exp(-h) * x + a * gain * denoised;
      if (previous.defined()) next = next + 0.5F * a * gain * (1 / (h_previous / h)) * (denoised - previous);
      next = next + noise.between(from, to) * to * std::sqrt(gain);
      h_previous = h;
    }
    report(options, sigmas, i, x, denoised);
    previous = denoised;
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
