// Sigmas of the training steps, and the ways between a sigma and a step. Follows comfy/model_sampling.py.
// The arithmetic is torch's, in the reference's order and precision: levels agree to the last bit.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/scalar_tensor.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/noise_schedule.hpp>

#include <cmath>

namespace refrain::diffusion {

namespace {

void check_betas(double first, double last, int steps) {
  if (!(first > 0 && first <= last && last < 1) || steps < 2) {
    throw Error("bad_noise_schedule", "a noise schedule needs 0 < first <= last < 1 and at least two steps");
  }
}

}  // namespace

NoiseSchedule::NoiseSchedule(const at::Tensor& betas) {
  alphas_ = at::cumprod(1.0 - betas, 0);  // the products, "alpha bar"
  set(((1.0 - alphas_) / alphas_).sqrt());
}

NoiseSchedule NoiseSchedule::scaled_linear(double first, double last, int steps) {
  check_betas(first, last, steps);
  return NoiseSchedule(at::linspace(std::sqrt(first), std::sqrt(last), steps, at::kDouble).pow(2));
}

NoiseSchedule NoiseSchedule::linear(double first, double last, int steps) {
  check_betas(first, last, steps);
  return NoiseSchedule(at::linspace(first, last, steps, at::kDouble));
}

void NoiseSchedule::set(const at::Tensor& sigmas) {
  sigmas_ = sigmas.to(at::kFloat);
  log_sigmas_ = sigmas.log().to(at::kFloat);
  sigma_min_ = sigmas_.select(0, 0).item<float>();
  sigma_max_ = sigmas_.select(0, -1).item<float>();
}

NoiseSchedule NoiseSchedule::as_trained(bool zero_terminal_snr) const {
  constexpr double kInsteadOfZero = 4.8973451890853435e-08;
  NoiseSchedule schedule;
  schedule.alphas_ = alphas_;
  at::Tensor sigmas = ((1.0 - alphas_) / alphas_).sqrt();
  if (zero_terminal_snr) {
    const at::Tensor roots = (1 / (sigmas * sigmas + 1)).sqrt();
    const double first = roots.select(0, 0).item<double>(), last = roots.select(0, -1).item<double>();
    at::Tensor shifted = ((roots - last) * (first / (first - last))).square();
    shifted.select(0, -1).fill_(kInsteadOfZero);
    sigmas = ((1 - shifted) / shifted).sqrt();
  }
  schedule.set(sigmas);
  return schedule;
}

NoiseSchedule NoiseSchedule::distilled(int steps) const {
  if (steps < 1 || steps > this->steps())
    throw Error("bad_steps", "a distilled model has fewer steps than its teacher");
  NoiseSchedule schedule;
  schedule.alphas_ = alphas_;
  schedule.spacing_ = this->steps() / steps;
  const std::int64_t skipped = this->steps() - static_cast<std::int64_t>(schedule.spacing_) * (steps - 1) - 1;
  schedule.set(sigmas_.slice(0, skipped, {}, schedule.spacing_));
  return schedule;
}

float NoiseSchedule::timestep(float sigma) const {
  const at::Tensor distance = at::scalar_tensor(sigma, at::kFloat).log() - log_sigmas_;
  const std::int64_t nearest = distance.abs().argmin().item<std::int64_t>();
  return static_cast<float>(nearest * spacing_ + (spacing_ - 1));
}

at::Tensor NoiseSchedule::sigma(const at::Tensor& timesteps) const {
  const at::Tensor exact = timesteps.to(at::kFloat).flatten();
  const at::Tensor level = spacing_ == 1 ? exact : (exact - (spacing_ - 1)) / spacing_;
  const at::Tensor t = level.clamp(0, steps() - 1);
  const at::Tensor share = t.frac();
  const at::Tensor below = log_sigmas_.index_select(0, t.floor().to(at::kLong));
  const at::Tensor above = log_sigmas_.index_select(0, t.ceil().to(at::kLong));
  return ((1.0 - share) * below + share * above).exp().view(timesteps.sizes());
}

float NoiseSchedule::sigma(float timestep) const {
  return sigma(at::scalar_tensor(timestep, at::kFloat)).item<float>();
}

float NoiseSchedule::percent_to_sigma(double percent) const {
  constexpr float kBeforeTheStart = 999999999.9F;
  if (percent <= 0) return kBeforeTheStart;
  if (percent >= 1) return 0;
  return sigma(static_cast<float>((1 - percent) * static_cast<double>(alphas_.size(0) - 1)));
}

}  // namespace refrain::diffusion
