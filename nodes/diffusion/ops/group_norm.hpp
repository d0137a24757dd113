#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace refrain::diffusion {

enum class Activation : std::uint8_t { none, silu };

/// Whether group_norm_by_pixel() takes it: [N, C, h, w] in float32 or bfloat16, channels-last in the CPU's memory.
bool lies_by_pixel(const at::Tensor& x);

/// Group Normalization and what follows it: [N, C, h, w] -> the same shape, type and memory format; `weight` and `bias`
/// are [C] in any type. Faster than libtorch's, and exact for values that lie close together far from zero, of which
/// libtorch's channels-last kernel takes the variance as a difference of sums. The same for any number of threads.
at::Tensor group_norm_by_pixel(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight,
                               const at::Tensor& bias, double eps, Activation activation);

}  // namespace refrain::diffusion
