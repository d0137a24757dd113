// float32 attention with AVX-512. Compiled with -mavx512f: see attention_kernels.hpp for what may not be included here.
//
// A block of 48 queries meets 128 keys at a time: S = Q K^T in tiles of 6 x 64, the running softmax in base 2
// (the logarithm's factor is folded into Q), then O = O * correction + P V in tiles of 6 x up to 64.

#include "attention_kernels.hpp"

#include <immintrin.h>

namespace refrain::diffusion::kernels {
namespace {

constexpr int kRows = 48;     // queries in a block
constexpr int kKeys = 128;    // keys at a time
constexpr int kColumns = 64;  // keys in a packed panel
constexpr int kTileRows = 6;
constexpr float kLog2e = 1.44269504088896340736F;

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

float widen(std::uint16_t bits) {
  union {
    std::uint32_t i;
    float f;
  } u{static_cast<std::uint32_t>(bits) << 16};
  return u.f;
}

float element(const void* data, std::int64_t at, bool bfloat16) {
  return bfloat16 ? widen(static_cast<const std::uint16_t*>(data)[at]) : static_cast<const float*>(data)[at];
}

/// 2^x for x <= 0, relative error below 2e-7; not smaller than 2^-126, which is as good as zero here.
__m512 exp2_of(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-126.0F));
  const __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(x, n);
  __m512 p = _mm512_set1_ps(1.5403530e-4F);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.3333558e-3F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(9.6181291e-3F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.5504109e-2F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4022651e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9314718e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, n);
}

struct Scratch {
  float* query;    // [kRows, d], scaled
  float* scores;   // [kRows, kKeys]
  float* sums;     // [kRows, d rounded up to 16]
  float* largest;  // [kRows]
  float* total;    // [kRows]
};

Scratch divide(const Attention& a, void* memory) {
  auto* m = static_cast<float*>(memory);
  const std::int64_t d16 = round_up(a.width, 16);
  Scratch s;
  s.scores = m;
  s.sums = s.scores + kRows * kKeys;
  s.query = s.sums + kRows * d16;
  s.largest = s.query + kRows * d16;
  s.total = s.largest + kRows;
  return s;
}

std::int64_t packed_bytes(const Attention& a) {
  return round_up(a.keys, kColumns) * (a.width + round_up(a.width, 16)) * 4;
}

std::int64_t scratch_bytes(const Attention& a) {
  return (kRows * kKeys + 2 * kRows * round_up(a.width, 16) + 2 * kRows) * 4;
}

/// Keys as panels [M / 64][d][64], then values [M][d rounded up to 16]; zeros beyond the last key and channel.
void pack(const Attention& a, std::int64_t batch, std::int64_t head, void* packed) {
  const std::int64_t padded = round_up(a.keys, kColumns), d = a.width, d16 = round_up(d, 16);
  auto* keys = static_cast<float*>(packed);
  float* values = keys + padded * d;
  for (std::int64_t m = 0; m < padded; ++m) {
    float* column = keys + m / kColumns * kColumns * d + m % kColumns;
    float* row = values + m * d16;
    if (m >= a.keys) {
      for (std::int64_t i = 0; i < d; ++i) column[i * kColumns] = 0;
      for (std::int64_t i = 0; i < d16; ++i) row[i] = 0;
      continue;
    }
    const std::int64_t k0 = batch * a.key_batch + m * a.key_row + head * d;
    const std::int64_t v0 = batch * a.value_batch + m * a.value_row + head * d;
    for (std::int64_t i = 0; i < d; ++i) column[i * kColumns] = element(a.key, k0 + i, a.bfloat16);
    for (std::int64_t i = 0; i < d; ++i) row[i] = element(a.value, v0 + i, a.bfloat16);
    for (std::int64_t i = d; i < d16; ++i) row[i] = 0;
  }
}

/// scores[6, 64] = query[6, d] panel[d, 64].
void score_tile(const float* query, std::int64_t d, const float* panel, float* scores) {
  __m512 c[kTileRows][4];
#pragma GCC unroll 6
  for (int r = 0; r < kTileRows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) c[r][j] = _mm512_setzero_ps();
  for (std::int64_t i = 0; i < d; ++i) {
    __m512 b[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) b[j] = _mm512_loadu_ps(panel + i * kColumns + 16 * j);
#pragma GCC unroll 6
    for (int r = 0; r < kTileRows; ++r) {
      const __m512 q = _mm512_set1_ps(query[r * d + i]);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) c[r][j] = _mm512_fmadd_ps(q, b[j], c[r][j]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kTileRows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) _mm512_storeu_ps(scores + r * kKeys + 16 * j, c[r][j]);
}

/// sums[6, 16 V] += weights[6, keys] values[keys, 16 V].
template <int V>
void weigh_tile(const float* weights, std::int64_t keys, const float* values, std::int64_t d16, float* sums) {
  __m512 c[kTileRows][V];
#pragma GCC unroll 6
  for (int r = 0; r < kTileRows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) c[r][j] = _mm512_loadu_ps(sums + r * d16 + 16 * j);
  for (std::int64_t m = 0; m < keys; ++m) {
    __m512 b[V];
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) b[j] = _mm512_loadu_ps(values + m * d16 + 16 * j);
#pragma GCC unroll 6
    for (int r = 0; r < kTileRows; ++r) {
      const __m512 w = _mm512_set1_ps(weights[r * kKeys + m]);
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) c[r][j] = _mm512_fmadd_ps(w, b[j], c[r][j]);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < kTileRows; ++r)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) _mm512_storeu_ps(sums + r * d16 + 16 * j, c[r][j]);
}

/// Turns a row of scores into weights 2^(s - largest) and corrects what was summed under an older maximum.
void soften_row(float* scores, int keys, float& largest, float& total, float* sums, std::int64_t d16) {
  const int vectors = (keys + 15) / 16;
  for (int j = keys; j < vectors * 16; ++j) scores[j] = -3.0e38F;
  __m512 most = _mm512_loadu_ps(scores);
  for (int j = 1; j < vectors; ++j) most = _mm512_max_ps(most, _mm512_loadu_ps(scores + 16 * j));
  const float row_most = _mm512_reduce_max_ps(most);
  const float now = row_most > largest ? row_most : largest;
  const __m512 m = _mm512_set1_ps(now);
  __m512 sum = _mm512_setzero_ps();
  for (int j = 0; j < vectors; ++j) {
    const __m512 p = exp2_of(_mm512_sub_ps(_mm512_loadu_ps(scores + 16 * j), m));
    sum = _mm512_add_ps(sum, p);
    _mm512_storeu_ps(scores + 16 * j, p);
  }
  if (now != largest) {
    const __m512 correction = exp2_of(_mm512_set1_ps(largest - now));
    total *= _mm512_cvtss_f32(correction);
    for (std::int64_t i = 0; i < d16; i += 16)
      _mm512_storeu_ps(sums + i, _mm512_mul_ps(correction, _mm512_loadu_ps(sums + i)));
    largest = now;
  }
  total += _mm512_reduce_add_ps(sum);
}

void start(const Attention& a, std::int64_t batch, std::int64_t head, std::int64_t first, const Scratch& s) {
  const std::int64_t d = a.width, d16 = round_up(d, 16);
  const float scale = kLog2e / __builtin_sqrtf(static_cast<float>(d));
  for (int r = 0; r < kRows; ++r) {
    const bool there = first + r < a.queries;
    const std::int64_t q0 = batch * a.query_batch + (first + r) * a.query_row + head * d;
    for (std::int64_t i = 0; i < d; ++i) s.query[r * d + i] = there ? scale * element(a.query, q0 + i, a.bfloat16) : 0;
    for (std::int64_t i = 0; i < d16; ++i) s.sums[r * d16 + i] = 0;
    s.largest[r] = -3.0e38F;
    s.total[r] = 0;
  }
}

std::uint16_t narrow(float value) {  // round to nearest even; NaN stays NaN
  union {
    float f;
    std::uint32_t i;
  } u{value};
  if (value != value) return 0x7fc0;
  return static_cast<std::uint16_t>((u.i + 0x7fff + ((u.i >> 16) & 1)) >> 16);
}

void finish(const Attention& a, std::int64_t batch, std::int64_t head, std::int64_t first, const Scratch& s) {
  const std::int64_t d = a.width, d16 = round_up(d, 16);
  for (int r = 0; r < kRows && first + r < a.queries; ++r) {
    const float inverse = 1.0F / s.total[r];
    const std::int64_t o0 = batch * a.out_batch + (first + r) * a.out_row + head * d;
    const float* sums = s.sums + r * d16;
    if (a.bfloat16)
      for (std::int64_t i = 0; i < d; ++i) static_cast<std::uint16_t*>(a.out)[o0 + i] = narrow(inverse * sums[i]);
    else
      for (std::int64_t i = 0; i < d; ++i) static_cast<float*>(a.out)[o0 + i] = inverse * sums[i];
  }
}

void weigh(const Scratch& s, int row, int keys, const float* values, std::int64_t d16) {
  const float* weights = s.scores + row * kKeys;
  float* sums = s.sums + row * d16;
  std::int64_t at = 0;
  for (; d16 - at >= 64; at += 64) weigh_tile<4>(weights, keys, values + at, d16, sums + at);
  switch ((d16 - at) / 16) {
    case 3: weigh_tile<3>(weights, keys, values + at, d16, sums + at); break;
    case 2: weigh_tile<2>(weights, keys, values + at, d16, sums + at); break;
    case 1: weigh_tile<1>(weights, keys, values + at, d16, sums + at); break;
    default: break;
  }
}

void attend(const Attention& a, std::int64_t batch, std::int64_t head, std::int64_t first, const void* packed,
            void* scratch) {
  const Scratch s = divide(a, scratch);
  const std::int64_t d = a.width, d16 = round_up(d, 16);
  const auto* panels = static_cast<const float*>(packed);
  const float* values = panels + round_up(a.keys, kColumns) * d;
  start(a, batch, head, first, s);
  for (std::int64_t m = 0; m < a.keys; m += kKeys) {
    const int keys = a.keys - m < kKeys ? static_cast<int>(a.keys - m) : kKeys;
    for (int c = 0; c < keys; c += kColumns)
      for (int r = 0; r < kRows; r += kTileRows)
        score_tile(s.query + r * d, d, panels + (m + c) * d, s.scores + r * kKeys + c);
    for (int r = 0; r < kRows; ++r)
      soften_row(s.scores + r * kKeys, keys, s.largest[r], s.total[r], s.sums + r * d16, d16);
    for (int r = 0; r < kRows; r += kTileRows) weigh(s, r, keys, values + m * d16, d16);
  }
  finish(a, batch, head, first, s);
}

void nothing() {}

}  // namespace

const AttentionKernel kAvx512{kRows, packed_bytes, scratch_bytes, pack, attend, nothing, nothing};

}  // namespace refrain::diffusion::kernels
