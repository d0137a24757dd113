#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace refrain::diffusion {

enum class Activation : std::uint8_t { none, silu };

/// Group Normalization and what follows it: [N, C, h, w] -> the same shape, type and memory format; `weight` and `bias`
/// are [C]. For float32 and bfloat16 that are channels-last in the CPU's memory it is computed here: faster than by
/// libtorch, and exact for values that lie close together far from zero, of which libtorch's channels-last kernel takes
/// the variance as a difference of sums. The same for any number of threads. All else is libtorch's.
at::Tensor group_norm(const at::Tensor& x, std::int64_t groups, const at::Tensor& weight, const at::Tensor& bias,
                      double eps, Activation activation);

}  // namespace refrain::diffusion
