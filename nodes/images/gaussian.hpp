#pragma once
// Gaussian filters for ImageBlur and ImageSharpen.

#include <refrain/tensor.hpp>

#include <cstdint>

namespace refrain {

/// [2 radius + 1, 2 radius + 1], sum 1; sigma is in units of the radius.
at::Tensor gaussian_kernel(std::int64_t radius, double sigma);

/// pixels [N, H, W, C], each channel filtered with `kernel` of that radius; beyond the borders the picture is mirrored.
/// Throws NodeError for pictures that are not larger than the radius.
at::Tensor filtered(const at::Tensor& pixels, const at::Tensor& kernel, std::int64_t radius);

}  // namespace refrain
