// Tables of alphas to the bit as the originals compute them.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cumprod.h>
#include <ATen/ops/linspace.h>
#include <refrain/diffusion/reference_sampling.hpp>

#include <cmath>

namespace refrain::diffusion {

namespace {

at::Tensor betas(const NoiseLaw& law, at::ScalarType dtype) {
  if (law.spacing == NoiseLaw::Spacing::linear) return at::linspace(law.first, law.last, law.steps, dtype);
  return at::linspace(std::sqrt(law.first), std::sqrt(law.last), law.steps, dtype).pow(2);
}

}  // namespace

at::Tensor reference_alphas(const NoiseLaw& law, Convention convention) {
  switch (convention) {
    case Convention::ldm: return at::cumprod(1.0 - betas(law, at::kDouble), 0).to(at::kFloat);
    case Convention::ermongroup: return at::cumprod(1.0 - betas(law, at::kDouble).to(at::kFloat), 0);
    case Convention::diffusers: break;
  }
  return at::cumprod(1.0 - betas(law, at::kFloat), 0);
}

}  // namespace refrain::diffusion
