// DPM-Solver-23: steps of order 3 whose length follows the difference from order 2. Only the first and the last
// positive sigma of the run are used. DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in
// Around 10 Steps. Lu et al. NeurIPS 2022, arXiv:2206.00927, appendix C (DPM-Solver-23); the step size control is
// k-diffusion's.

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/maximum.h>

#include <algorithm>

#include "dpm_solver.hpp"
#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

constexpr double kRelativeTolerance = 0.05;
constexpr double kAbsoluteTolerance = 0.0078;
constexpr double kFirstStep = 0.05;  // in -log sigma
constexpr double kAccepted = 0.81;   // a step that should have been shorter than this share is done again
constexpr float kCloseToEnd = 1e-5F;

/// An integral controller: the error of order 3 goes with the third power of the step.
double step_factor(double error) { return 1 + std::atan(std::pow(1 / (error + 1e-8), 1.0 / 3) - 1); }

/// How far order 2 is from order 3, in units of what is tolerated.
double error_of(const at::Tensor& low, const at::Tensor& high, const at::Tensor& previous) {
  const at::Tensor tolerated =
      (at::maximum(low.abs(), previous.abs()) * kRelativeTolerance).clamp_min(kAbsoluteTolerance);
  const double norm = at::linalg_vector_norm((low - high) / tolerated).item<float>();
  return static_cast<float>(norm) / static_cast<float>(std::sqrt(static_cast<double>(low.numel())));
}

}  // namespace

at::Tensor sample_dpm_adaptive(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                               const SamplerOptions& options) {
  if (step_count(sigmas) == 0) return x;
  const float end = log_snr(last_positive_sigma(sigmas));
  float t = log_snr(sigmas.front());
  const bool forward = end > t;  // less noise; the other way adds it back
  double h = forward ? kFirstStep : -kFirstStep;
  at::Tensor previous = x;
  for (int i = 0; forward ? t < end - kCloseToEnd : t > end + kCloseToEnd; ++i) {
    const float reached = t + static_cast<float>(h);
    const float next = forward ? std::min(end, reached) : std::max(end, reached);
    DpmSolverStep step(denoise, x, t, i);
    const at::Tensor start = x, denoised = step.denoised();
    const at::Tensor low = step.second_order(next, 1.0 / 3), high = step.third_order(next);
    const double factor = step_factor(error_of(low, high, previous));
    const float sigma = std::exp(-t);
    if (factor >= kAccepted) {
      previous = low;
      x = high;
      t = next;
    }
    h *= factor;
    if (options.on_step) options.on_step({i, std::max(i + 1, step_count(sigmas)), sigma, start, denoised});
  }
  return x;
}

}  // namespace refrain::diffusion
