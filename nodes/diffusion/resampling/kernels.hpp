#pragma once
// The resamplers that libtorch lacks.

#include <ATen/core/Tensor.h>

namespace refrain::diffusion {

/// Between two neighbours along an axis the vector of channels turns from one to the other while its length goes
/// linearly. x [N, C, h, w] -> [N, C, height, width]. Slerp: Animating Rotation with Quaternion Curves. Shoemake.
/// SIGGRAPH 1985; applied to latents by comfy/utils.py (bislerp).
at::Tensor bislerp(const at::Tensor& x, std::int64_t width, std::int64_t height);

/// Pillow's Image.resize with LANCZOS on 8-bit pictures (src/libImaging/Resample.c, Pillow 11): first the rows, then
/// the columns, each rounded to 8 bits. x [N, 1 or 3, h, w] in 0..1, rounded down to 8 bits.
at::Tensor lanczos(const at::Tensor& x, std::int64_t width, std::int64_t height);

}  // namespace refrain::diffusion
