#pragma once
// FreeU: Free Lunch in Diffusion U-Net. Si, Huang, Jiang, Liu. CVPR 2024, arXiv:2309.11497.
// Letters: N batch, C channels, h w sides.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/unet_patches.hpp>

namespace refrain::diffusion {

/// IFFT(FFT(skip) * mask), eq. 6 and 7, with `scale` for the frequencies 0 and -1 of either axis and 1 elsewhere, real
/// part. skip [N, C, h, w] of any type -> the same; computed in float32.
at::Tensor with_low_frequencies_scaled(const at::Tensor& skip, double scale);

/// h [N, C, h, w] with the first half of its channels strengthened by `b`, eq. 4; a new tensor.
/// Throws ShapeError for the second version where h is one cell: it has no contrast to follow.
at::Tensor with_backbone_scaled(const at::Tensor& h, FreeU::Version version, double b);

}  // namespace refrain::diffusion
