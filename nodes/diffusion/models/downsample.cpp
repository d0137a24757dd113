#include "models/downsample.hpp"

#include <ATen/ops/constant_pad_nd.h>

namespace refrain::diffusion {
namespace {

constexpr Conv2d::Geometry kPadded{3, 2, 1};
constexpr Conv2d::Geometry kUnpadded{3, 2, 0};

}  // namespace

Downsample::Downsample(const Weights& conv, int channels, Padding padding)
    : conv_(conv, channels, channels, padding == Padding::all_sides ? kPadded : kUnpadded), padding_(padding) {}

at::Tensor Downsample::operator()(const at::Tensor& x) const {
  return padding_ == Padding::all_sides ? conv_(x) : conv_(at::constant_pad_nd(x, {0, 1, 0, 1}));
}

}  // namespace refrain::diffusion
