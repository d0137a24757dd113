#pragma once
// softmax(Q K^T / sqrt(d)) V on the CPU in one pass over the keys, never holding the L x L matrix.
// FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness. Dao et al. NeurIPS 2022,
// arXiv:2205.14135. Letters: N batch, L queries, M keys, H heads, d channels of a head.

#include <ATen/core/Tensor.h>

namespace refrain::diffusion {

/// Whether fused_attention() serves these tensors on this processor: CPU, float32 or bfloat16 with AVX-512 (bfloat16
/// runs on AMX where there is one), channels contiguous, an even head width of at most 128 (wider heads are left to the
/// matrix products of the library, which are faster there).
bool fused_attention_serves(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, int heads);

/// query [N, L, H*d], key and value [N, M, H*d] -> [N, L, H*d], in the dtype of the query. Sums are float32.
/// Call it only where fused_attention_serves().
at::Tensor fused_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, int heads);

}  // namespace refrain::diffusion
