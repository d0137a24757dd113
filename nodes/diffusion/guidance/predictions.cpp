#include "predictions.hpp"

#include <ATen/TensorOperators.h>

#include <cmath>

namespace refrain::diffusion {

at::Tensor network_input(Prediction prediction, const at::Tensor& x, float sigma) {
  return prediction == Prediction::picture_from_picture ? x : x / std::sqrt(sigma * sigma + 1);
}

at::Tensor predicted_picture(Prediction prediction, const at::Tensor& output, const at::Tensor& x, float sigma,
                             float timestep) {
  switch (prediction) {
    case Prediction::noise: return x - output * sigma;
    case Prediction::velocity: return x / (sigma * sigma + 1) - output * sigma / std::sqrt(sigma * sigma + 1);
    case Prediction::picture:
    case Prediction::picture_from_picture: return output;
    case Prediction::consistency: break;
  }
  constexpr float kTimeScale = 10, kVariance = 0.25F;  // of the data, as latent consistency models are trained
  const float t = timestep * kTimeScale;
  return t / std::sqrt(t * t + kVariance) * (x - output * sigma) + kVariance / (t * t + kVariance) * x;
}

at::Tensor rescaled(const at::Tensor& x, float sigma, const at::Tensor& positive, const at::Tensor& negative,
                    double cfg, double multiplier) {
  const float root = std::sqrt(sigma * sigma + 1);
  const at::Tensor base = x / (sigma * sigma + 1);
  const auto velocity = [&](const at::Tensor& denoised) { return (base - denoised) * root / sigma; };
  const at::Tensor v_positive = velocity(positive), v_negative = velocity(negative);
  const at::Tensor guided = v_negative + cfg * (v_positive - v_negative);
  const auto deviation = [](const at::Tensor& v) { return v.std({1, 2, 3}, /*unbiased=*/true, /*keepdim=*/true); };
  const at::Tensor scaled = guided * (deviation(v_positive) / deviation(guided));
  const at::Tensor mixed = multiplier * scaled + (1.0 - multiplier) * guided;
  return base - mixed * sigma / root;
}

}  // namespace refrain::diffusion
