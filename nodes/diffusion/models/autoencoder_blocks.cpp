#include "models/autoencoder_blocks.hpp"

namespace refrain::diffusion {

AutoencoderMiddle::AutoencoderMiddle(const Weights& weights, int width)
    : first_(weights / "block_1", kAutoencoderResnet, width, width, 0),
      attention_(weights / "attn_1", width),
      second_(weights / "block_2", kAutoencoderResnet, width, width, 0) {}

at::Tensor AutoencoderMiddle::operator()(const at::Tensor& x) const { return second_(attention_(first_(x, {})), {}); }

AutoencoderLevel::AutoencoderLevel(const Weights& weights, const Sizes& sizes, Way way) {
  for (int i = 0; i < sizes.blocks; ++i) {
    blocks_.emplace_back(weights / "block" / i, kAutoencoderResnet, i == 0 ? sizes.in : sizes.out, sizes.out, 0);
  }
  if (way == Way::down)
    downsample_.emplace(weights / "downsample" / "conv", sizes.out, Downsample::Padding::right_and_below);
  if (way == Way::up) upsample_.emplace(weights / "upsample" / "conv", sizes.out);
}

at::Tensor AutoencoderLevel::operator()(at::Tensor x) const {
  for (const ResnetBlock& block : blocks_) x = block(x, {});
  if (downsample_) return (*downsample_)(x);
  return upsample_ ? (*upsample_)(x, 2 * x.size(2), 2 * x.size(3)) : x;
}

}  // namespace refrain::diffusion
