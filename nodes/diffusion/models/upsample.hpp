#pragma once
#include "ops/conv2d.hpp"

namespace refrain::diffusion {

/// Nearest-neighbour enlargement, then a 3x3 convolution.
class Upsample {
 public:
  /// `conv`: where the convolution's weights are.
  Upsample(const Weights& conv, int channels) : conv_(conv, channels, channels) {}

  /// x [N, C, h, w] -> [N, C, height, width]: 2 h and 2 w, or the size of the skip that it meets (ComfyUI's rule for
  /// sides that were odd before they were halved).
  at::Tensor operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const;

 private:
  Conv2d conv_;
};

}  // namespace refrain::diffusion
