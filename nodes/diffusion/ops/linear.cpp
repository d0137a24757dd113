#include "ops/linear.hpp"

#include "ops/packed.hpp"

#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>

#include <optional>
#include <string>
#include <utility>

namespace refrain::diffusion {

namespace {

/// The weight as the device likes it best; its file pages can go where that is another form.
at::Tensor placed(const at::Tensor& weight, const Weights& weights) {
  const Placement& placement = weights.placement();
  std::optional<at::Tensor> packed;
  if (placement.device.is_cpu()) packed = packed::pack_linear(weight, placement.dtype);
  at::Tensor made = packed ? *std::move(packed) : weight.to(placement.device, placement.dtype);
  if (!made.is_same(weight)) weights.give_back("weight");
  return made;
}

}  // namespace

Linear::Linear(const Weights& weights, int in, int out, Bias bias) {
  weight_ = weights.form("weight", "linear", [&] {
    const bool convolution = weights.shape("weight").size() == 4;
    return placed(convolution ? weights.raw("weight", {out, in, 1, 1}).flatten(1) : weights.raw("weight", {out, in}),
                  weights);
  });
  packed_ = weight_.is_mkldnn();
  if (bias == Bias::yes) bias_ = weights.keep("bias", {out});
}

Linear::Linear(const Weights& weights, int in, int rows, int first, int out) {
  const Placement& placement = weights.placement();
  const auto slice = [&](const at::Tensor& whole) { return whole.narrow(0, first, out); };
  const std::string form = "rows from " + std::to_string(first);
  weight_ = weights.form("weight", form, [&] { return placed(slice(weights.raw("weight", {rows, in})), weights); });
  packed_ = weight_.is_mkldnn();
  bias_ = weights.form("bias", form,
                       [&] { return slice(weights.raw("bias", {rows})).to(placement.device, placement.dtype); });
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
