#include "models/free_u.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/add.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <refrain/diffusion/error.hpp>

#include <cmath>
#include <numbers>
#include <vector>

namespace refrain::diffusion {
namespace {

/// Cosines and sines of the block of frequencies that is scaled, (0, 0), (-1, 0), (0, -1), (-1, -1), as far as the
/// sides have them: [h w, K], each of length sqrt(h w) or less, so that B Bt / (h w) is that part of IFFT(FFT(x)).
at::Tensor low_frequencies(std::int64_t h, std::int64_t w, const at::TensorOptions& options) {
  const auto turns = [&](std::int64_t side) {
    return at::arange(side, options.dtype(at::kDouble)) * (2 * std::numbers::pi / static_cast<double>(side));
  };
  const at::Tensor down = turns(h).unsqueeze(1).expand({h, w}), across = turns(w).unsqueeze(0).expand({h, w});
  std::vector<at::Tensor> waves{at::ones({h, w}, options.dtype(at::kDouble))};
  const auto add = [&](const at::Tensor& angle) {
    waves.push_back(angle.cos());
    waves.push_back(angle.sin());
  };
  if (h > 1) add(down);
  if (w > 1) add(across);
  if (h > 1 && w > 1) add(down + across);
  return at::stack(waves, -1).view({h * w, -1}).to(at::kFloat);
}

}  // namespace

// The mask is 1 but for a few frequencies, so the filter adds (scale - 1) times their part to the skip. That part is a
// projection on seven waves: two thin matrix products in place of two transforms, on every device and without complex
// numbers.
at::Tensor with_low_frequencies_scaled(const at::Tensor& skip, double scale) {
  const std::int64_t n = skip.size(0), c = skip.size(1), h = skip.size(2), w = skip.size(3);
  const at::Tensor pixels = skip.to(at::kFloat).permute({0, 2, 3, 1}).reshape({n, h * w, c});
  const at::Tensor waves = low_frequencies(h, w, pixels.options());  // [h w, K]
  const at::Tensor amounts = at::matmul(waves.t(), pixels);          // [N, K, C]
  const double share = (scale - 1) / static_cast<double>(h * w);
  const at::Tensor filtered = at::add(pixels, at::matmul(waves, amounts), share);  // [N, h w, C]
  return filtered.view({n, h, w, c}).permute({0, 3, 1, 2}).to(skip.scalar_type());
}

at::Tensor with_backbone_scaled(const at::Tensor& h, FreeU::Version version, double b) {
  at::Tensor result = h.clone();
  at::Tensor half = result.narrow(1, 0, h.size(1) / 2);
  if (version == FreeU::Version::first) {
    half.mul_(b);
    return result;
  }
  if (h.size(2) * h.size(3) == 1) {
    throw ShapeError("free_u_size",
                     "FreeU_V2: a feature of the U-Net is a single cell here, which has no contrast to follow; choose "
                     "a larger picture, or FreeU");
  }
  const at::Tensor mean = h.to(at::kFloat).mean({1}, true);  // [N, 1, h, w]
  const at::Tensor least = mean.amin({1, 2, 3}, true), most = mean.amax({1, 2, 3}, true);
  half.mul_(((mean - least) / (most - least) * (b - 1) + 1.0).to(h.scalar_type()));
  return result;
}

}  // namespace refrain::diffusion
