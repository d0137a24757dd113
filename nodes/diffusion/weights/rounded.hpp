#pragma once
#include <refrain/diffusion/weights.hpp>

#include <memory>

namespace refrain::diffusion {

/// `source` with its floating-point tensors rounded to `dtype` as they are read.
std::shared_ptr<const WeightSource> rounded_to(std::shared_ptr<const WeightSource> source, at::ScalarType dtype);

}  // namespace refrain::diffusion
