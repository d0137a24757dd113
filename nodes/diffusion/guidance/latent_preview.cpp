#include "refrain/diffusion/latent_preview.hpp"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/matmul.h>

#include <array>

namespace refrain::diffusion {
namespace {

// Rows: the channels of the latent; columns: red, green, blue.
constexpr std::array<float, 12> kFactors{0.3512F,  0.2297F, 0.3227F, 0.3250F,  0.4974F,  0.2350F,
                                         -0.2829F, 0.1762F, 0.2721F, -0.2120F, -0.2616F, -0.7177F};

}  // namespace

at::Tensor latent_preview(const at::Tensor& latent) {
  if (latent.dim() != 4 || latent.size(0) < 1 || latent.size(1) != 4) return {};
  const at::Tensor factors = at::from_blob(const_cast<float*>(kFactors.data()), {4, 3}, at::kFloat);
  const at::Tensor pixels = latent[0].to(at::kCPU, at::kFloat).permute({1, 2, 0});  // [h, w, 4]
  return at::matmul(pixels, factors).add(1.0).div(2.0).clamp(0.0, 1.0);             // [h, w, 3]
}

}  // namespace refrain::diffusion
