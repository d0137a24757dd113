#include "midpoint.hpp"

#include <ATen/TensorOperators.h>

#include <cmath>

#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor midpoint_step(const Denoiser& denoise, const at::Tensor& x, const at::Tensor& denoised, float sigma,
                         float next, int step) {
  const at::Tensor d = derivative(x, sigma, denoised);
  if (next == 0) return x + d * (next - sigma);
  const float from = std::log(sigma), to = std::log(next);
  const float middle = std::exp(to - (to - from) * 0.5F);
  const at::Tensor x_middle = x + d * (middle - sigma);
  const at::Tensor d_middle = derivative(x_middle, middle, denoise(x_middle, middle, {step, 1}));
  return x + d_middle * (next - sigma);
}

}  // namespace refrain::diffusion
