// DPM-Solver++(3M) for the diffusion SDE, one evaluation a step, eta = 1: the third order that k-diffusion (Katherine
// Crowson) adds to
// DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models. Lu et al. 2022, arXiv:2211.01095.

#include <ATen/TensorOperators.h>

#include "brownian_tree.hpp"
#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

/// The denoised latents of the steps before and how long these were; what is undefined is not known yet.
struct History {
  at::Tensor first, second;
  float h_first = 0, h_second = 0;

  void push(const at::Tensor& denoised, float h) {
    second = first;
    h_second = h_first;
    first = denoised;
    h_first = h;
  }
};

/// What higher orders add to a step of length h.
at::Tensor correction(const History& history, const at::Tensor& denoised, float h, float a) {
  const float h_eta = h * 2;
  const float phi_2 = std::expm1(-h_eta) / h_eta + 1;
  const float r0 = history.h_first / h;
  const at::Tensor d0 = (denoised - history.first) / r0;
  if (!history.second.defined()) return a * phi_2 * d0;
  const float r1 = history.h_second / h, phi_3 = phi_2 / h_eta - 0.5F;
  const at::Tensor d1 = (history.first - history.second) / r1;
  const at::Tensor slope = d0 + (d0 - d1) * r0 / (r0 + r1);
  const at::Tensor curvature = (d0 - d1) / (r0 + r1);
  return a * phi_2 * slope - a * phi_3 * curvature;
}

}  // namespace

at::Tensor sample_dpmpp_3m_sde(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                               const SamplerOptions& options) {
  BrownianNoise noise(x, sigmas, options.noise_seed);
  History history;
  for (int i = 0; i < step_count(sigmas); ++i) {
    const float from = sigmas[i], to = sigmas[i + 1];
    const at::Tensor denoised = denoise(x, from, {i, 0});
    at::Tensor next = denoised;
    if (to != 0) {
      const float h = log_snr(to) - log_snr(from);
      const float a = to * std::exp(log_snr(to));  // 1 but for its rounding, which ComfyUI has, too
      const float gain = -std::expm1(-(h * 2));
      next = to / from * std::exp(-h) * x + a * gain * denoised;
      if (history.first.defined()) next = next + correction(history, denoised, h, a);
      next = next + noise.between(from, to) * to * std::sqrt(gain);
      history.push(denoised, h);
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
