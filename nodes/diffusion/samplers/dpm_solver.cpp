#include "dpm_solver.hpp"

#include <ATen/TensorOperators.h>
#include <refrain/diffusion/error.hpp>

#include <cmath>
#include <utility>

namespace refrain::diffusion {

namespace {

float sigma_of(float t) { return std::exp(-t); }

}  // namespace

DpmSolverStep::DpmSolverStep(const Denoiser& denoise, at::Tensor x, float t, int step)
    : denoise_(denoise), x_(std::move(x)), t_(t), step_(step) {}

at::Tensor DpmSolverStep::predicted(const at::Tensor& x, float t, int stage) const {
  return (x - denoise_(x, sigma_of(t), {step_, stage})) / sigma_of(t);
}

const at::Tensor& DpmSolverStep::noise() {
  if (!noise_.defined()) noise_ = predicted(x_, t_, 0);
  return noise_;
}

const at::Tensor& DpmSolverStep::noise_at(float t_next, double r1) {
  if (!noise_middle_.defined()) {
    const float h = t_next - t_, part = static_cast<float>(r1) * h;
    const float s = t_ + part;
    noise_middle_ = predicted(x_ - sigma_of(s) * std::expm1(part) * noise(), s, 1);
  }
  return noise_middle_;
}

at::Tensor DpmSolverStep::denoised() { return x_ - sigma_of(t_) * noise(); }

at::Tensor DpmSolverStep::first_order(float t_next) {
  return x_ - sigma_of(t_next) * std::expm1(t_next - t_) * noise();
}

at::Tensor DpmSolverStep::second_order(float t_next, double r1) {
  const float growth = std::expm1(t_next - t_), sigma = sigma_of(t_next);
  const at::Tensor& middle = noise_at(t_next, r1);
  return x_ - sigma * growth * noise() - sigma / static_cast<float>(2 * r1) * growth * (middle - noise());
}

at::Tensor DpmSolverStep::third_order(float t_next) {
  constexpr double r1 = 1.0 / 3, r2 = 2.0 / 3;
  const float h = t_next - t_, part = static_cast<float>(r2) * h;
  const float s = t_ + part;
  const at::Tensor& middle = noise_at(t_next, r1);
  const at::Tensor x = x_ - sigma_of(s) * std::expm1(part) * noise() -
                       sigma_of(s) * static_cast<float>(r2 / r1) * (std::expm1(part) / part - 1) * (middle - noise());
  const at::Tensor late = predicted(x, s, 2);
  const float sigma = sigma_of(t_next), growth = std::expm1(h);
  return x_ - sigma * growth * noise() - sigma / static_cast<float>(r2) * (growth / h - 1) * (late - noise());
}

float last_positive_sigma(const std::vector<float>& sigmas) {
  const float last = sigmas.back() == 0 && sigmas.size() > 1 ? sigmas[sigmas.size() - 2] : sigmas.back();
  if (!(last > 0 && sigmas.front() > 0)) {
    throw Error("bad_sigmas", "dpm_fast and dpm_adaptive go from one positive sigma to another; these are not");
  }
  return last;
}

}  // namespace refrain::diffusion
