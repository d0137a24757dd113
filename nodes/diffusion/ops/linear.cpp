#include "ops/linear.hpp"

#include "ops/packed.hpp"

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>

#include <utility>

namespace refrain::diffusion {

Linear::Linear(const Weights& weights, int in, int out, Bias bias) {
  if (weights.shape("weight").size() == 4) {
    place(weights.get("weight", {out, in, 1, 1}).flatten(1), weights);
  } else {
    place(weights.get("weight", {out, in}), weights);
  }
  if (bias == Bias::yes) bias_ = weights.get("bias", {out});
}

Linear::Linear(const Weights& weights, int in, int rows, int first, int out) {
  const Placement& placement = weights.placement();
  const auto slice = [&](const at::Tensor& whole) {
    return whole.narrow(0, first, out).to(placement.device, placement.dtype);
  };
  place(slice(weights.raw("weight", {rows, in})), weights);
  bias_ = slice(weights.raw("bias", {rows}));
}

void Linear::place(at::Tensor weight, const Weights& weights) {
  if (weight.is_cpu()) {
    if (auto packed = packed::pack_linear(weight)) {
      weight_ = *std::move(packed);
      packed_ = true;
      weights.give_back("weight");
      return;
    }
  }
  weight_ = std::move(weight);
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  if (packed_) return packed::linear(x, weight_, bias_, packed::Unary::none);
  return at::linear(x, weight_, bias_);
}

at::Tensor Linear::gelu(const at::Tensor& x) const {
  if (packed_) return packed::linear(x, weight_, bias_, packed::Unary::gelu);
  at::Tensor y = at::linear(x, weight_, bias_);
  return at::gelu_(y);
}

at::Tensor Linear::add(const at::Tensor& x, const at::Tensor& other) const {
  if (packed_) return packed::linear(x, weight_, bias_, packed::Binary::add, other);
  return at::linear(x, weight_, bias_).add_(other);
}

at::Tensor Linear::multiply(const at::Tensor& x, const at::Tensor& other) const {
  if (packed_) return packed::linear(x, weight_, bias_, packed::Binary::multiply, other);
  return at::linear(x, weight_, bias_).mul_(other);
}

}  // namespace refrain::diffusion
