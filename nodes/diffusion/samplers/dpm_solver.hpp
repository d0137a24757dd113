#pragma once
// DPM-Solver: one step of order 1, 2 or 3 in t = -log sigma, for dpm_fast and dpm_adaptive.
// DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps. Lu et al. NeurIPS 2022,
// arXiv:2206.00927, algorithms 1 and 2 and eq. 4.1 with alpha = 1.

#include <refrain/diffusion/sampling.hpp>

namespace refrain::diffusion {

/// The steps from one x at one time t: predictions of noise are kept, so that steps of two orders share them.
class DpmSolverStep {
 public:
  /// `step` is what the denoiser is told; refers to `denoise`.
  DpmSolverStep(const Denoiser& denoise, at::Tensor x, float t, int step);

  /// The denoised latent at the start.
  at::Tensor denoised();
  at::Tensor first_order(float t_next);
  /// With its middle evaluation at the share `r1` of the way. The first call decides where stage 1 is.
  at::Tensor second_order(float t_next, double r1 = 0.5);
  /// With evaluations at a third and two thirds of the way.
  at::Tensor third_order(float t_next);

 private:
  const at::Tensor& noise();
  const at::Tensor& noise_at(float t, double r1);
  at::Tensor predicted(const at::Tensor& x, float t, int stage) const;

  const Denoiser& denoise_;
  at::Tensor x_;
  float t_;
  int step_;
  at::Tensor noise_;         // at the start
  at::Tensor noise_middle_;  // at stage 1
};

/// The last sigma that is not 0: DPM-Solver's time has no end for 0. Throws Error when there is none.
float last_positive_sigma(const std::vector<float>& sigmas);

}  // namespace refrain::diffusion
