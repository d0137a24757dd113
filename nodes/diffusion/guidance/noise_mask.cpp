#include "noise_mask.hpp"

#include <ATen/TensorOperators.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/resize.hpp>

namespace refrain::diffusion {

at::Tensor fitted_noise_mask(const at::Tensor& mask, at::IntArrayRef shape) {
  if (mask.dim() < 2 || mask.numel() == 0) throw ShapeError("bad_mask", "a noise mask is not [N, 1, H, W]");
  const at::Tensor values = mask.to(at::kFloat).reshape({-1, 1, mask.size(-2), mask.size(-1)});
  const at::Tensor fitted = resized(values, shape[3], shape[2], Resampling::bilinear);
  return repeated_to(fitted.repeat({1, shape[1], 1, 1}), shape[0]);
}

Denoiser masked(const Denoiser& denoise, const at::Tensor& mask, const at::Tensor& latent, const at::Tensor& noise) {
  return [&denoise, mask, kept = 1.0 - mask, latent, noise](const at::Tensor& x, float sigma, Place place) {
    const at::Tensor seen = x * mask + (noise * sigma + latent) * kept;
    return denoise(seen, sigma, place) * mask + latent * kept;
  };
}

}  // namespace refrain::diffusion
