#pragma once
// The parts of the autoencoder: CompVis stable-diffusion, ldm/modules/diffusionmodules/model.py.
// Letters: N batch, C channels, h w sides.

#include "models/resnet_block.hpp"
#include "models/upsample.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace refrain::diffusion {

/// Attention over places with one head as wide as the tensor, from 1x1 convolutions; + x.
class PlaceAttention {
 public:
  PlaceAttention(const Weights& weights, int width);
  at::Tensor operator()(const at::Tensor& x) const;  ///< [N, C, h, w] -> the same

 private:
  GroupNorm norm_;
  Linear q_, k_, v_, out_;
};

/// The deepest part: two resnets around attention.
class AutoencoderMiddle {
 public:
  AutoencoderMiddle(const Weights& weights, int width);
  at::Tensor operator()(const at::Tensor& x) const;  ///< [N, C, h, w] -> the same

 private:
  ResnetBlock first_;
  PlaceAttention attention_;
  ResnetBlock second_;
};

/// Halves the sides: one row and one column of zeros below and right, then a 3x3 convolution with stride 2.
class AutoencoderDownsample {
 public:
  AutoencoderDownsample(const Weights& weights, int channels);
  at::Tensor operator()(const at::Tensor& x) const;  ///< [N, C, h, w] -> [N, C, h / 2, w / 2]

 private:
  Conv2d conv_;
};

/// Resnets at one resolution, then the way to the next.
class AutoencoderLevel {
 public:
  struct Sizes {
    int in = 0;
    int out = 0;
    int blocks = 0;
  };
  enum class Way : std::uint8_t { stay, down, up };

  AutoencoderLevel(const Weights& weights, const Sizes& sizes, Way way);
  at::Tensor operator()(at::Tensor x) const;

 private:
  std::vector<ResnetBlock> blocks_;
  std::optional<AutoencoderDownsample> downsample_;
  std::optional<Upsample> upsample_;
};

}  // namespace refrain::diffusion
