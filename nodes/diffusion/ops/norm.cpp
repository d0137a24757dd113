#include "ops/norm.hpp"

#include "ops/group_norm.hpp"

#include <ATen/ops/layer_norm.h>

namespace refrain::diffusion {
namespace {

constexpr int kGroups = 32;

}  // namespace

GroupNorm::GroupNorm(const Weights& weights, int channels, double eps)
    : weight_(weights.keep("weight", {channels})), bias_(weights.keep("bias", {channels})), eps_(eps) {}

at::Tensor GroupNorm::operator()(const at::Tensor& x) const {
  return group_norm(x, kGroups, weight_, bias_, eps_, Activation::none);
}

at::Tensor GroupNorm::silu(const at::Tensor& x) const {
  return group_norm(x, kGroups, weight_, bias_, eps_, Activation::silu);
}

LayerNorm::LayerNorm(const Weights& weights, int width, double eps)
    : weight_(weights.keep("weight", {width})), bias_(weights.keep("bias", {width})), eps_(eps) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
  return at::layer_norm(x, {x.size(-1)}, weight_, bias_, eps_);
}

}  // namespace refrain::diffusion
