// Euler's method with CFG++: the slope is that of the negative prompt alone, so that guidance moves the estimate of the
// picture but not the noise that is put back.
// CFG++: Manifold-constrained Classifier Free Guidance for Diffusion Models. Chung et al. 2024, arXiv:2406.08070,
// algorithm 2.

#include <ATen/TensorOperators.h>

#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_euler_cfg_pp(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                               const SamplerOptions& options) {
  // 1 but for its rounding, which ComfyUI has, too.
  const auto alpha = [](float sigma) { return sigma * std::exp(log_snr(sigma)); };
  for (int i = 0; i < step_count(sigmas); ++i) {
    at::Tensor unconditional;
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0, &unconditional});
    at::Tensor next = denoised;
    if (const float to = sigmas[i + 1]; to != 0) {
      const at::Tensor d = derivative(x, sigmas[i], alpha(sigmas[i]) * unconditional);
      next = alpha(to) * denoised + alpha(to) * (to / alpha(to)) * d;
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
