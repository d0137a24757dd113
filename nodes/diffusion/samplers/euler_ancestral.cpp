// Ancestral sampling with Euler steps: down to below the next sigma, then noise up to it.
// Score-Based Generative Modeling through Stochastic Differential Equations. Song et al. ICLR 2021, arXiv:2011.13456,
// eq. 47 (ancestral sampling of the variance exploding process), with eta = 1.

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cmath>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

struct AncestralStep {
  float down;  ///< the sigma to step to
  float up;    ///< of the noise that is then added: down^2 + up^2 = next^2
};

AncestralStep ancestral_step(float sigma, float next) {
  const float up = std::min(next, std::sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma)));
  return {std::sqrt(next * next - up * up), up};
}

}  // namespace

at::Tensor sample_euler_ancestral(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                                  const SamplerOptions& options) {
  // A generator of its own with the run's seed: its first draw repeats the initial noise, as in ComfyUI. On the CPU
  // wherever x is, so that a seed means the same picture on every device.
  const at::Generator generator = at::detail::createCPUGenerator(options.noise_seed);
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    const auto [down, up] = ancestral_step(sigmas[i], sigmas[i + 1]);
    at::Tensor next = denoised;
    if (down != 0) {
      const at::Tensor d = derivative(x, sigmas[i], denoised);
      const at::Tensor noise = at::randn(x.sizes(), generator, at::TensorOptions(at::kFloat));
      next = x + d * (down - sigmas[i]) + noise.to(x.device()) * up;
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
