#include "machine_peak.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace refrain::bench {
namespace {

constexpr int kRounds = 20'000'000;
constexpr int kChains = 12;  // more than latency times throughput of any core in use

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float run_avx512() {
  __m512 sums[kChains];
  for (__m512& sum : sums) sum = _mm512_set1_ps(1.0F);
  const __m512 factor = _mm512_set1_ps(0.999F);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factor, factor);
  }
  for (const __m512& sum : sums) sums[0] = _mm512_add_ps(sums[0], sum);
  return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) float run_avx2() {
  __m256 sums[kChains];
  for (__m256& sum : sums) sum = _mm256_set1_ps(1.0F);
  const __m256 factor = _mm256_set1_ps(0.999F);
  for (int i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factor, factor);
  }
  for (const __m256& sum : sums) sums[0] = _mm256_add_ps(sums[0], sum);
  return _mm256_cvtss_f32(sums[0]);
}
#endif

}  // namespace

double fma_peak() {
#if defined(__x86_64__)
  const bool wide = __builtin_cpu_supports("avx512f");
  if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) return 0;
  float (*const run)() = wide ? run_avx512 : run_avx2;
  const int threads = at::get_num_threads();
  std::vector<float> results(threads);
  double best = 0;
  for (int repeat = 0; repeat < 3; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> workers;
    for (float& result : results) workers.emplace_back([&result, run] { result = run(); });
    for (std::thread& worker : workers) worker.join();
    best = std::max(best, 2.0 * kRounds * kChains * (wide ? 16 : 8) * threads / seconds_since(start) / 1e9);
  }
  return results.front() > 0 ? best : 0;
#else
  return 0;
#endif
}

double bfloat16_product_rate() {
  constexpr std::int64_t kSize = 2048;
  const at::Tensor a = at::ones({kSize, kSize}, at::kBFloat16);
  double best = 0;
  for (int repeat = 0; repeat < 6; ++repeat) {
    const auto start = std::chrono::steady_clock::now();
    const at::Tensor product = at::matmul(a, a);
    best = std::max(best, 2.0 * kSize * kSize * kSize / seconds_since(start) / 1e9);
  }
  return best;
}

}  // namespace refrain::bench
