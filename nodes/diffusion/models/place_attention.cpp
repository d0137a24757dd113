#include "models/place_attention.hpp"

#include "ops/attention.hpp"

namespace refrain::diffusion {
namespace {

constexpr double kNormEps = 1e-6;

}  // namespace

PlaceAttention::PlaceAttention(const Weights& weights, int width)
    : norm_(weights / "norm", width, kNormEps),
      q_(weights / "q", width, width),
      k_(weights / "k", width, width),
      v_(weights / "v", width, width),
      out_(weights / "proj_out", width, width) {}

at::Tensor PlaceAttention::operator()(const at::Tensor& x) const {
  const auto as_tokens = [](const at::Tensor& y) { return y.permute({0, 2, 3, 1}).flatten(1, 2).contiguous(); };
  const at::Tensor normed = as_tokens(norm_(x));  // [N, h w, C]
  const at::Tensor y = out_.add(attention(q_(normed), k_(normed), v_(normed), 1), as_tokens(x));
  return y.view({x.size(0), x.size(2), x.size(3), x.size(1)}).permute({0, 3, 1, 2});
}

}  // namespace refrain::diffusion
