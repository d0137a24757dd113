#include "gaussian.hpp"

#include <refrain/errors.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/reflection_pad2d.h>

#include <string>

namespace refrain {

at::Tensor gaussian_kernel(std::int64_t radius, double sigma) {
  const std::int64_t side = radius * 2 + 1;
  const at::Tensor line = at::linspace(-1, 1, side, at::kFloat);
  const at::Tensor x = line.view({side, 1}), y = line.view({1, side});
  const at::Tensor distance = (x * x + y * y).sqrt();
  const at::Tensor values = (-(distance * distance) / (2.0 * sigma * sigma)).exp();
  return values / values.sum();
}

at::Tensor filtered(const at::Tensor& pixels, const at::Tensor& kernel, std::int64_t radius) {
  if (pixels.size(1) <= radius || pixels.size(2) <= radius) {
    throw NodeError("image.too_small", "the picture is not larger than the radius of " + std::to_string(radius) +
                                           " pixels; make the radius smaller");
  }
  const std::int64_t channels = pixels.size(3), side = kernel.size(0);
  const at::Tensor mirrored = at::reflection_pad2d(pixels.permute({0, 3, 1, 2}), {radius, radius, radius, radius});
  const at::Tensor weights = kernel.view({1, 1, side, side}).expand({channels, 1, side, side});
  return at::conv2d(mirrored, weights, {}, 1, at::IntArrayRef{0}, 1, channels).permute({0, 2, 3, 1}).contiguous();
}

}  // namespace refrain
