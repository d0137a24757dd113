#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace refrain::diffusion {

enum class AttentionMask : std::uint8_t {
  none,
  causal,  ///< a token sees itself and those before it
};

/// softmax(q k^T / sqrt(d)) v for every head of width d = C / heads. Attention Is All You Need. Vaswani et al.
/// NeurIPS 2017, arXiv:1706.03762, eq. 1.
/// q [N, Tq, C]; k, v [N, Tk, C]; contiguous, one dtype -> [N, Tq, C] contiguous.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads,
                     AttentionMask mask = AttentionMask::none);

}  // namespace refrain::diffusion
