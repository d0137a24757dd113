#pragma once
// at::Tensor and its arithmetic, without <ATen/TensorOperators.h>, which costs a file 3 s of compile time.

#include <ATen/core/Tensor.h>

#include <concepts>

namespace at {
// Templates, because torch's own operators are none: where both are visible, torch's win and nothing is ambiguous.
#define REFRAIN_TENSOR_OPERATOR_(op, method)                \
  template <std::same_as<Tensor> X>                         \
  Tensor operator op(const X& x, const Scalar& y) {         \
    return x.method(y);                                     \
  }                                                         \
  template <std::same_as<Tensor> X, std::same_as<Tensor> Y> \
  Tensor operator op(const X& x, const Y& y) {              \
    return x.method(y);                                     \
  }
REFRAIN_TENSOR_OPERATOR_(+, add)
REFRAIN_TENSOR_OPERATOR_(-, sub)
REFRAIN_TENSOR_OPERATOR_(*, mul)
REFRAIN_TENSOR_OPERATOR_(/, div)
#undef REFRAIN_TENSOR_OPERATOR_

template <std::same_as<Tensor> X>
Tensor operator-(const X& x) {
  return x.neg();
}
template <std::same_as<Tensor> Y>
Tensor operator+(const Scalar& x, const Y& y) {
  return y.add(x);
}
template <std::same_as<Tensor> Y>
Tensor operator-(const Scalar& x, const Y& y) {
  return y.neg().add(x);
}
template <std::same_as<Tensor> Y>
Tensor operator*(const Scalar& x, const Y& y) {
  return y.mul(x);
}
template <std::same_as<Tensor> Y>
Tensor operator/(const Scalar& x, const Y& y) {
  return y.reciprocal().mul(x);
}
}  // namespace at
