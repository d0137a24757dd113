#pragma once
// The kernels behind fused_attention(). Their files are compiled for instruction sets beyond the base one, so nothing
// that is inline or a template may come in here: the linker could pick such a copy for the whole library.

#include <cstdint>

namespace refrain::diffusion::kernels {

/// One attention over all batches and heads. Strides count elements; the channels of a head are contiguous.
struct Attention {
  const void* query;
  const void* key;
  const void* value;
  void* out;
  std::int64_t heads, queries, keys, width;  ///< width: channels of a head
  std::int64_t query_batch, query_row;       ///< strides of a batch and of a row
  std::int64_t key_batch, key_row;
  std::int64_t value_batch, value_row;
  std::int64_t out_batch, out_row;
  bool bfloat16;  ///< all four are bfloat16, else float32
};

/// A way to compute it. Keys and values of a head are packed once, then blocks of queries are independent of each
/// other.
struct AttentionKernel {
  std::int64_t block;                               ///< queries in a block
  std::int64_t (*packed_bytes)(const Attention&);   ///< of the keys and values of one head
  std::int64_t (*scratch_bytes)(const Attention&);  ///< of one thread
  void (*pack)(const Attention&, std::int64_t batch, std::int64_t head, void* packed);
  void (*attend)(const Attention&, std::int64_t batch, std::int64_t head, std::int64_t first_query, const void* packed,
                 void* scratch);
  void (*enter)();  ///< before a thread's first block
  void (*leave)();  ///< after its last
};

/// AVX-512: float32 products; bfloat16 inputs are widened while they are packed.
extern const AttentionKernel kAvx512;
/// AMX: bfloat16 products, float32 sums and softmax.
extern const AttentionKernel kAmx;

}  // namespace refrain::diffusion::kernels
