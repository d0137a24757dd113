#include "models/autoencoder_blocks.hpp"

#include "ops/attention.hpp"

#include <ATen/ops/constant_pad_nd.h>

namespace refrain::diffusion {
namespace {

constexpr double kNormEps = 1e-6;
constexpr Conv2d::Geometry kHalving{3, 2, 0};

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

AutoencoderMiddle::AutoencoderMiddle(const Weights& weights, int width)
    : first_(weights / "block_1", kAutoencoderResnet, width, width, 0),
      attention_(weights / "attn_1", width),
      second_(weights / "block_2", kAutoencoderResnet, width, width, 0) {}

at::Tensor AutoencoderMiddle::operator()(const at::Tensor& x) const { return second_(attention_(first_(x, {})), {}); }

AutoencoderDownsample::AutoencoderDownsample(const Weights& weights, int channels)
    : conv_(weights / "conv", channels, channels, kHalving) {}

at::Tensor AutoencoderDownsample::operator()(const at::Tensor& x) const {
  return conv_(at::constant_pad_nd(x, {0, 1, 0, 1}));
}

AutoencoderLevel::AutoencoderLevel(const Weights& weights, const Sizes& sizes, Way way) {
  for (int i = 0; i < sizes.blocks; ++i) {
    blocks_.emplace_back(weights / "block" / i, kAutoencoderResnet, i == 0 ? sizes.in : sizes.out, sizes.out, 0);
  }
  if (way == Way::down) downsample_.emplace(weights / "downsample", sizes.out);
  if (way == Way::up) upsample_.emplace(weights / "upsample", sizes.out);
}

at::Tensor AutoencoderLevel::operator()(at::Tensor x) const {
  for (const ResnetBlock& block : blocks_) x = block(x, {});
  if (downsample_) return (*downsample_)(x);
  return upsample_ ? (*upsample_)(x, 2 * x.size(2), 2 * x.size(3)) : x;
}

}  // namespace refrain::diffusion
