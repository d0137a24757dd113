#pragma once
#include "ops/conv2d.hpp"

#include <cstdint>

namespace refrain::diffusion {

/// Halves the sides by a 3x3 convolution with stride 2.
class Downsample {
 public:
  enum class Padding : std::uint8_t {
    all_sides,        ///< one place on every side: the U-Net of LDM and SD; odd sides are rounded up
    right_and_below,  ///< one column and one row of zeros: autoencoders and DDPM's U-Net; odd sides are rounded down
  };

  /// `conv`: where the convolution's weights are.
  Downsample(const Weights& conv, int channels, Padding padding);

  at::Tensor operator()(const at::Tensor& x) const;  ///< [N, C, h, w] -> [N, C, h / 2, w / 2]

 private:
  Conv2d conv_;
  Padding padding_;
};

}  // namespace refrain::diffusion
