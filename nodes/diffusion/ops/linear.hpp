#pragma once
#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

namespace refrain::diffusion {

/// y = x W^T + b, with the weight in the form that the device likes best. Immutable.
/// Letters: ... any leading sizes, I in, O out. Activations are contiguous, in the dtype of computation.
class Linear {
 public:
  enum class Bias : bool { no, yes };

  /// Takes "weight" [O, I] (or [O, I, 1, 1], a 1x1 convolution) and "bias" [O].
  Linear(const Weights& weights, int in, int out, Bias bias = Bias::yes);
  /// Takes rows first .. first + out - 1 of a weight [rows, I] and its bias: for one half of a doubled layer.
  Linear(const Weights& weights, int in, int rows, int first, int out);

  at::Tensor operator()(const at::Tensor& x) const;                         ///< [..., I] -> [..., O]
  at::Tensor gelu(const at::Tensor& x) const;                               ///< erf gelu of the product
  at::Tensor add(const at::Tensor& x, const at::Tensor& other) const;       ///< product + other
  at::Tensor multiply(const at::Tensor& x, const at::Tensor& other) const;  ///< product * other

 private:
  at::Tensor weight_;
  at::Tensor bias_;
  bool packed_ = false;
};

}  // namespace refrain::diffusion
