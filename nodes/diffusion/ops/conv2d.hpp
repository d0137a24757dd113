#pragma once
#include "ops/packed.hpp"

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

namespace refrain::diffusion {

/// A square two-dimensional convolution, with the weight in the form that the device likes best. Immutable.
/// Activations [N, C, h, w] channels-last, in the dtype of computation.
class Conv2d {
 public:
  using Geometry = packed::ConvGeometry;

  /// Takes "weight" [out, in, k, k] and "bias" [out].
  Conv2d(const Weights& weights, int in, int out, Geometry geometry = {});

  at::Tensor operator()(const at::Tensor& x) const;
  at::Tensor add(const at::Tensor& x, const at::Tensor& other) const;  ///< the convolution + other

 private:
  Geometry geometry_;
  at::Tensor weight_;
  at::Tensor bias_;
  bool packed_ = false;
};

constexpr Conv2d::Geometry kPointwise{1, 1, 0};  ///< 1x1

}  // namespace refrain::diffusion
