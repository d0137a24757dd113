#pragma once
// How far a picture or a latent is from the one that it stands for.

#include <ATen/core/Tensor.h>

#include "compare/picture.hpp"

namespace refrain::cli {

/// Peak signal-to-noise ratio of two pictures of one size, in dB: 10 log10(255^2 / mean squared error over all
/// channels). Infinite for equal ones.
double psnr(const Picture& a, const Picture& b);

/// Structural similarity of two pictures of one size, 1 for equal ones: Wang, Bovik, Sheikh, Simoncelli. "Image quality
/// assessment: from error visibility to structural similarity". IEEE Trans. Image Processing 13(4), 2004, eq. 13.
/// Gaussian window of 11 x 11 with sigma 1.5, K1 = 0.01, K2 = 0.03, L = 255, the mean over all places where the window
/// lies inside and over the channels. A picture smaller than the window gives NaN.
double ssim(const Picture& a, const Picture& b);

/// Of a tensor against a reference of its shape.
struct TensorError {
  double relative_l2 = 0;  ///< |x - r|_2 / |r|_2
  double max_abs = 0;      ///< largest |x - r|
};
TensorError tensor_error(const at::Tensor& x, const at::Tensor& reference);

}  // namespace refrain::cli
