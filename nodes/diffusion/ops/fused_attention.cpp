#include "fused_attention.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <cmath>

#include "attention_kernels.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace refrain::diffusion {
namespace {

#if defined(__x86_64__)
/// The operating system saves AMX's tiles only for processes that have asked (arch/x86 xstate, ARCH_REQ_XCOMP_PERM).
bool allowed_to_use_amx() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  const bool bf16_tiles = (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0;
  return bf16_tiles && __builtin_cpu_supports("avx512bf16") &&
         ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

const kernels::AttentionKernel* kernel_for(bool bfloat16) {
  static const bool avx512 = __builtin_cpu_supports("avx512f") != 0;
  static const bool amx = avx512 && allowed_to_use_amx();
  if (bfloat16 && amx) return &kernels::kAmx;
  return avx512 ? &kernels::kAvx512 : nullptr;
}
#else
const kernels::AttentionKernel* kernel_for(bool) { return nullptr; }
#endif

bool rows_of_channels(const at::Tensor& t, at::ScalarType dtype) {
  return t.device().is_cpu() && t.scalar_type() == dtype && t.dim() == 3 && t.stride(2) == 1;
}

}  // namespace

bool fused_attention_serves(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, int heads) {
  const at::ScalarType dtype = query.scalar_type();
  if (dtype != at::kFloat && dtype != at::kBFloat16) return false;
  if (!rows_of_channels(query, dtype) || !rows_of_channels(key, dtype) || !rows_of_channels(value, dtype)) return false;
  const std::int64_t width = query.size(2) / heads;
  return width % 2 == 0 && width <= 128 && key.size(1) > 0 && kernel_for(dtype == at::kBFloat16) != nullptr;
}

at::Tensor fused_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value, int heads) {
  const std::int64_t batch = query.size(0), queries = query.size(1);
  at::Tensor out = at::empty({batch, queries, query.size(2)}, query.options());
  const bool bfloat16 = query.scalar_type() == at::kBFloat16;
  const kernels::Attention a{query.const_data_ptr(),
                             key.const_data_ptr(),
                             value.const_data_ptr(),
                             out.data_ptr(),
                             heads,
                             queries,
                             key.size(1),
                             query.size(2) / heads,
                             query.stride(0),
                             query.stride(1),
                             key.stride(0),
                             key.stride(1),
                             value.stride(0),
                             value.stride(1),
                             out.stride(0),
                             out.stride(1),
                             bfloat16};
  const kernels::AttentionKernel& kernel = *kernel_for(bfloat16);

  const std::int64_t head_bytes = (kernel.packed_bytes(a) + 63) / 64 * 64;
  const at::Tensor packed = at::empty({batch * heads, head_bytes}, query.options().dtype(at::kByte));
  auto* const packed_at = packed.data_ptr<std::uint8_t>();
  at::parallel_for(0, batch * heads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) kernel.pack(a, i / heads, i % heads, packed_at + i * head_bytes);
  });

  const std::int64_t blocks = (queries + kernel.block - 1) / kernel.block;
  at::parallel_for(0, batch * heads * blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const at::Tensor scratch = at::empty({kernel.scratch_bytes(a)}, query.options().dtype(at::kByte));
    kernel.enter();
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t head = i / blocks;
      kernel.attend(a, head / heads, head % heads, i % blocks * kernel.block, packed_at + head * head_bytes,
                    scratch.data_ptr());
    }
    kernel.leave();
  });
  return out;
}

}  // namespace refrain::diffusion
