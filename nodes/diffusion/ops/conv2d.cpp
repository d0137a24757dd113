#include "ops/conv2d.hpp"

#include <ATen/ops/conv2d.h>

#include <utility>

namespace refrain::diffusion {

Conv2d::Conv2d(const Weights& weights, int in, int out, Geometry geometry) : geometry_(geometry) {
  at::Tensor weight = weights.get("weight", {out, in, geometry.kernel, geometry.kernel});
  bias_ = weights.get("bias", {out});
  if (weight.is_cpu()) {
    if (auto packed = packed::pack_conv(weight, geometry)) {
      weight_ = *std::move(packed);
      packed_ = true;
      weights.give_back("weight");
      return;
    }
    weight_ = std::move(weight);
    return;
  }
  weight_ = weight.contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  if (packed_) return packed::conv(x, weight_, bias_, geometry_);
  return at::conv2d(x, weight_, bias_, geometry_.stride, geometry_.padding);
}

at::Tensor Conv2d::add(const at::Tensor& x, const at::Tensor& other) const {
  if (packed_) return packed::conv_add(x, weight_, bias_, geometry_, other);
  return (*this)(x).add_(other);
}

}  // namespace refrain::diffusion
