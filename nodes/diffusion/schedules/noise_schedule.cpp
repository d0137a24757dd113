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
  const at::Tensor alphas = at::cumprod(1.0 - betas, 0);  // the products, "alpha bar"
  const at::Tensor sigmas = ((1.0 - alphas) / alphas).sqrt();
  sigmas_ = sigmas.to(at::kFloat);
  log_sigmas_ = sigmas.log().to(at::kFloat);
  sigma_min_ = sigmas_.select(0, 0).item<float>();
  sigma_max_ = sigmas_.select(0, -1).item<float>();
}

NoiseSchedule NoiseSchedule::scaled_linear(double first, double last, int steps) {
  check_betas(first, last, steps);
  return NoiseSchedule(at::linspace(std::sqrt(first), std::sqrt(last), steps, at::kDouble).pow(2));
}

NoiseSchedule NoiseSchedule::linear(double first, double last, int steps) {
  check_betas(first, last, steps);
  return NoiseSchedule(at::linspace(first, last, steps, at::kDouble));
}

float NoiseSchedule::timestep(float sigma) const {
  const at::Tensor distance = at::scalar_tensor(sigma, at::kFloat).log() - log_sigmas_;
  return static_cast<float>(distance.abs().argmin().item<std::int64_t>());
}

at::Tensor NoiseSchedule::sigma(const at::Tensor& timesteps) const {
  const at::Tensor t = timesteps.to(at::kFloat).flatten().clamp(0, steps() - 1);
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
  return sigma(static_cast<float>((1 - percent) * (steps() - 1)));
}

}  // namespace refrain::diffusion
