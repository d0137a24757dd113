#include "ops/conv2d.hpp"

#include <ATen/ops/conv2d.h>

#include <utility>

namespace refrain::diffusion {
namespace {

/// [N, C, h, w] -> [N, h, w, C] contiguous, a view where the input is channels-last; and back.
at::Tensor pixels_of(const at::Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous(); }
at::Tensor picture_of(const at::Tensor& pixels) { return pixels.permute({0, 3, 1, 2}); }

}  // namespace

Conv2d::Conv2d(const Weights& weights, int in, int out, Geometry geometry)
    : geometry_(geometry), weights_(weights.alone()), shape_{out, in, geometry.kernel, geometry.kernel} {
  const bool on_cpu = weights.placement().device.is_cpu();
  if (on_cpu && geometry.kernel == 1 && geometry.stride == 1) {
    pointwise_.emplace(weights, in, out);
    return;
  }
  bias_ = weights.keep("bias", {out});
  if (on_cpu && packed::can_pack(weights.placement().dtype)) {
    weights.check("weight", shape_);  // a missing or wrong weight is an error of the load
    packed_ = std::static_pointer_cast<Packed>(
        weights.share("weight", "convolution", [] { return std::make_shared<Packed>(); }));
    return;
  }
  weight_ = weights.form("weight", "plain", [&] {
    at::Tensor plain = weights.get("weight", shape_);
    return on_cpu ? plain : plain.contiguous(at::MemoryFormat::ChannelsLast);
  });
}

at::Tensor Conv2d::packed_for(const at::Tensor& x) const {
  const std::scoped_lock lock(packed_->mutex);
  if (packed_->height != x.size(2) || packed_->width != x.size(3)) {
    packed_->weight =
        packed::pack_conv(weights_.raw("weight", shape_), weights_.placement().dtype, geometry_, x.sizes());
    packed_->height = x.size(2);
    packed_->width = x.size(3);
    weights_.give_back("weight");
  }
  return packed_->weight;
}

/// libtorch 2.13 gives rubbish on CPUs with AMX for a bfloat16 convolution with a stride whose result is one cell wide.
bool Conv2d::is_rubbish_in_bfloat16(const at::Tensor& x) const {
  return x.is_cpu() && x.scalar_type() == at::kBFloat16 && geometry_.stride > 1 &&
         x.size(3) + 2 * geometry_.padding < geometry_.kernel + geometry_.stride;
}

at::Tensor Conv2d::in_float32(const at::Tensor& x) const {
  const at::Tensor y = at::conv2d(x.to(at::kFloat), weights_.get("weight", shape_).to(at::kFloat), bias_.to(at::kFloat),
                                  geometry_.stride, geometry_.padding);
  return y.to(x.scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
}

at::Tensor Conv2d::operator()(const at::Tensor& x) const {
  if (is_rubbish_in_bfloat16(x)) return in_float32(x);
  if (pointwise_) return picture_of((*pointwise_)(pixels_of(x)));
  if (packed_) return packed::conv(x, packed_for(x), bias_, geometry_);
  return at::conv2d(x, weight_, bias_, geometry_.stride, geometry_.padding);
}

at::Tensor Conv2d::add(const at::Tensor& x, const at::Tensor& other) const {
  if (is_rubbish_in_bfloat16(x)) return in_float32(x).add_(other);
  if (pointwise_) return picture_of(pointwise_->add(pixels_of(x), pixels_of(other)));
  if (packed_) return packed::conv_add(x, packed_for(x), bias_, geometry_, other);
  return (*this)(x).add_(other);
}

}  // namespace refrain::diffusion
