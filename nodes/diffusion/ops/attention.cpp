#include "ops/attention.hpp"

#include "ops/fused_attention.hpp"

#include <ATen/ops/scaled_dot_product_attention.h>

namespace refrain::diffusion {
namespace {

/// [N, T, C] -> [N, heads, T, C / heads], a view.
at::Tensor split(const at::Tensor& x, int heads) {
  return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads, AttentionMask mask) {
  if (mask == AttentionMask::none && fused_attention_serves(q, k, v, heads)) return fused_attention(q, k, v, heads);
  const at::Tensor y = at::scaled_dot_product_attention(split(q, heads), split(k, heads), split(v, heads), {}, 0.0,
                                                        mask == AttentionMask::causal);
  return y.transpose(1, 2).reshape(q.sizes());
}

}  // namespace refrain::diffusion
