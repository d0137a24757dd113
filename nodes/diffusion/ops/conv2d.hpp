#pragma once
#include "ops/linear.hpp"
#include "ops/packed.hpp"

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace refrain::diffusion {

/// A square two-dimensional convolution, with the weight in the form that the device likes best. Any thread may call
/// it. Activations [N, C, h, w] channels-last, in the dtype of computation. A 1x1 convolution is a Linear over the
/// pixels.
class Conv2d {
 public:
  using Geometry = packed::ConvGeometry;

  /// Takes "weight" [out, in, k, k] and "bias" [out].
  Conv2d(const Weights& weights, int in, int out, Geometry geometry = {});

  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor add(const at::Tensor& x, const at::Tensor& other) const;  ///< the convolution + other

 private:
  /// The weight packed for pictures of one size, at the first of that size: nobody knows the size at load. Shared by
  /// the models that have this weight in common.
  struct Packed {
    std::mutex mutex;
    std::int64_t height = 0;
    std::int64_t width = 0;
    at::Tensor weight;
  };
  at::Tensor packed_for(const at::Tensor& x) const;
  bool is_rubbish_in_bfloat16(const at::Tensor& x) const;
  at::Tensor in_float32(const at::Tensor& x) const;

  Geometry geometry_;
  std::optional<Linear> pointwise_;
  Weights weights_;
  std::vector<std::int64_t> shape_;
  at::Tensor weight_;  ///< where no packed form is to be had
  at::Tensor bias_;
  std::shared_ptr<Packed> packed_;
};

constexpr Conv2d::Geometry kPointwise{1, 1, 0};  ///< 1x1

}  // namespace refrain::diffusion
