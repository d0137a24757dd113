// bfloat16 attention with AMX. Compiled with -mamx-tile -mamx-bf16 -mavx512f -mavx512bf16: see attention_kernels.hpp
// for what may not be included here.
//
// A block of 32 queries meets 256 keys at a time: S = Q K^T by tiles of 16 x 16 with float32 sums, the running softmax
// in base 2, weights rounded to bfloat16, then O = O * correction + P V by tiles. A tile of the right-hand side holds
// pairs: row r, column j has elements (2r, j) and (2r + 1, j) side by side.

#include "attention_kernels.hpp"

#include <immintrin.h>

namespace refrain::diffusion::kernels {
namespace {

constexpr int kRows = 32;   // queries in a block: two tiles
constexpr int kKeys = 256;  // keys at a time
constexpr int kTile = 512;  // bfloat16 elements of a tile: 16 rows of 64 bytes
constexpr float kLog2e = 1.44269504088896340736F;

using Half = std::uint16_t;  // the bits of a bfloat16

/// GCC's tile loads do not tell the compiler that they read memory; this makes it finish its stores first.
void finish_stores() { __asm__ volatile("" ::: "memory"); }

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

/// 2^x for x <= 0, relative error below 5e-5, a fortieth of a bfloat16's rounding.
__m512 exp2_of(__m512 x) {
  x = _mm512_max_ps(x, _mm512_set1_ps(-126.0F));
  const __m512 n = _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(x, n);
  __m512 p = _mm512_set1_ps(9.6181291e-3F);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.5504109e-2F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4022651e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9314718e-1F));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0F));
  return _mm512_scalef_ps(p, n);
}

struct Scratch {
  float* scores;   // [kRows, kKeys]
  float* sums;     // [kRows, d rounded up to 16]
  float* largest;  // [kRows]
  float* total;    // [kRows]
  Half* weights;   // [kRows, kKeys]
  Half* query;     // [kRows, d rounded up to 32]
};

Scratch divide(const Attention& a, void* memory) {
  Scratch s;
  s.scores = static_cast<float*>(memory);
  s.sums = s.scores + kRows * kKeys;
  s.largest = s.sums + kRows * round_up(a.width, 16);
  s.total = s.largest + kRows;
  s.weights = reinterpret_cast<Half*>(s.total + kRows);
  s.query = s.weights + kRows * kKeys;
  return s;
}

std::int64_t scratch_bytes(const Attention& a) {
  return (kRows * kKeys + kRows * round_up(a.width, 16) + 2 * kRows) * 4 +
         (kRows * kKeys + kRows * round_up(a.width, 32)) * 2;
}

std::int64_t packed_bytes(const Attention& a) {
  return round_up(a.keys, 32) * (round_up(a.width, 32) + round_up(a.width, 16)) * 2;
}

/// Keys as tiles [M / 16][d / 32], then values as tiles [M / 32][d / 16]; zeros beyond the last key and channel.
void pack(const Attention& a, std::int64_t batch, std::int64_t head, void* packed) {
  const std::int64_t padded = round_up(a.keys, 32), d = a.width, d32 = round_up(d, 32), d16 = round_up(d, 16);
  auto* keys = static_cast<Half*>(packed);
  Half* values = keys + padded * d32;
  for (std::int64_t m = 0; m < padded; ++m) {
    const bool there = m < a.keys;
    const Half* key = static_cast<const Half*>(a.key) + batch * a.key_batch + m * a.key_row + head * d;
    const Half* value = static_cast<const Half*>(a.value) + batch * a.value_batch + m * a.value_row + head * d;
    Half* key_column = keys + m / 16 * 16 * d32 + m % 16 * 2;
    for (std::int64_t i = 0; i < d32; i += 2) {
      Half* to = key_column + i / 32 * kTile + i % 32 / 2 * 32;
      to[0] = there && i < d ? key[i] : Half{0};
      to[1] = there && i + 1 < d ? key[i + 1] : Half{0};
    }
    Half* value_row = values + m / 32 * 32 * d16 + m % 32 / 2 * 32 + m % 2;
    for (std::int64_t i = 0; i < d16; ++i) value_row[i / 16 * kTile + i % 16 * 2] = there && i < d ? value[i] : Half{0};
  }
}

/// scores[32, 32 of them] = query[32, d32] keys: two tiles of rows, two of columns.
void score_tiles(const Half* query, std::int64_t d32, const Half* left_keys, const Half* right_keys, float* scores) {
  finish_stores();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t i = 0; i < d32; i += 32) {
    _tile_loadd(4, query + i, d32 * 2);
    _tile_loadd(5, query + 16 * d32 + i, d32 * 2);
    _tile_loadd(6, left_keys + i / 32 * kTile, 64);
    _tile_loadd(7, right_keys + i / 32 * kTile, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, scores, kKeys * 4);
  _tile_stored(1, scores + 16, kKeys * 4);
  _tile_stored(2, scores + 16 * kKeys, kKeys * 4);
  _tile_stored(3, scores + 16 * kKeys + 16, kKeys * 4);
}

/// sums[32, 16 or 32 channels] += weights[32, keys] values.
void weigh_tiles(const Half* weights, std::int64_t keys, const Half* values, std::int64_t d16, bool two, float* sums) {
  finish_stores();
  _tile_loadd(0, sums, d16 * 4);
  _tile_loadd(2, sums + 16 * d16, d16 * 4);
  if (two) {
    _tile_loadd(1, sums + 16, d16 * 4);
    _tile_loadd(3, sums + 16 * d16 + 16, d16 * 4);
  }
  for (std::int64_t m = 0; m < keys; m += 32) {
    _tile_loadd(4, weights + m, kKeys * 2);
    _tile_loadd(5, weights + 16 * kKeys + m, kKeys * 2);
    _tile_loadd(6, values + m * d16, 64);
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(2, 5, 6);
    if (two) {
      _tile_loadd(7, values + m * d16 + kTile, 64);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, d16 * 4);
  _tile_stored(2, sums + 16 * d16, d16 * 4);
  if (two) {
    _tile_stored(1, sums + 16, d16 * 4);
    _tile_stored(3, sums + 16 * d16 + 16, d16 * 4);
  }
}

/// Turns a row of raw scores into bfloat16 weights 2^(scale s - largest) and corrects what was summed before.
/// Weights from `keys` up to the next multiple of 32 are zero.
void soften_row(float* scores, Half* weights, int keys, float scale, float& largest, float& total, float* sums,
                std::int64_t d16) {
  const int padded = (keys + 31) / 32 * 32;
  for (int j = keys; j < padded; ++j) scores[j] = -3.0e38F;
  __m512 most = _mm512_max_ps(_mm512_loadu_ps(scores), _mm512_loadu_ps(scores + 16));
  for (int j = 32; j < padded; j += 32)
    most = _mm512_max_ps(most, _mm512_max_ps(_mm512_loadu_ps(scores + j), _mm512_loadu_ps(scores + j + 16)));
  const float row_most = scale * _mm512_reduce_max_ps(most);
  const float now = row_most > largest ? row_most : largest;
  const __m512 m = _mm512_set1_ps(now), c = _mm512_set1_ps(scale);
  __m512 sum0 = _mm512_setzero_ps(), sum1 = _mm512_setzero_ps();
  for (int j = 0; j < padded; j += 32) {
    const __m512 p0 = exp2_of(_mm512_fmsub_ps(_mm512_loadu_ps(scores + j), c, m));
    const __m512 p1 = exp2_of(_mm512_fmsub_ps(_mm512_loadu_ps(scores + j + 16), c, m));
    sum0 = _mm512_add_ps(sum0, p0);
    sum1 = _mm512_add_ps(sum1, p1);
    _mm512_storeu_si512(weights + j, (__m512i)_mm512_cvtne2ps_pbh(p1, p0));
  }
  if (now != largest) {
    const __m512 correction = exp2_of(_mm512_set1_ps(largest - now));
    total *= _mm512_cvtss_f32(correction);
    for (std::int64_t i = 0; i < d16; i += 16)
      _mm512_storeu_ps(sums + i, _mm512_mul_ps(correction, _mm512_loadu_ps(sums + i)));
    largest = now;
  }
  total += _mm512_reduce_add_ps(_mm512_add_ps(sum0, sum1));
}

void start(const Attention& a, std::int64_t batch, std::int64_t head, std::int64_t first, const Scratch& s) {
  const std::int64_t d = a.width, d32 = round_up(d, 32), d16 = round_up(d, 16);
  for (int r = 0; r < kRows; ++r) {
    const Half* q = static_cast<const Half*>(a.query) + batch * a.query_batch + (first + r) * a.query_row + head * d;
    const bool there = first + r < a.queries;
    for (std::int64_t i = 0; i < d32; ++i) s.query[r * d32 + i] = there && i < d ? q[i] : Half{0};
    for (std::int64_t i = 0; i < d16; ++i) s.sums[r * d16 + i] = 0;
    s.largest[r] = -3.0e38F;
    s.total[r] = 0;
  }
}

void finish(const Attention& a, std::int64_t batch, std::int64_t head, std::int64_t first, const Scratch& s) {
  const std::int64_t d = a.width, d16 = round_up(d, 16);
  for (int r = 0; r < kRows && first + r < a.queries; ++r) {
    const __m512 inverse = _mm512_set1_ps(1.0F / s.total[r]);
    Half* out = static_cast<Half*>(a.out) + batch * a.out_batch + (first + r) * a.out_row + head * d;
    for (std::int64_t i = 0; i < d; i += 16) {
      const __m256i half = (__m256i)_mm512_cvtneps_pbh(_mm512_mul_ps(inverse, _mm512_loadu_ps(s.sums + r * d16 + i)));
      const std::int64_t left = d - i;
      if (left >= 16) {
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), half);
      } else {
        Half last[16];
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(last), half);
        for (std::int64_t j = 0; j < left; ++j) out[i + j] = last[j];
      }
    }
  }
}

void attend(const Attention& a, std::int64_t batch, std::int64_t head, std::int64_t first, const void* packed,
            void* scratch) {
  const Scratch s = divide(a, scratch);
  const std::int64_t d32 = round_up(a.width, 32), d16 = round_up(a.width, 16);
  const float scale = kLog2e / __builtin_sqrtf(static_cast<float>(a.width));
  const auto* keys_at = static_cast<const Half*>(packed);
  const Half* values_at = keys_at + round_up(a.keys, 32) * d32;
  start(a, batch, head, first, s);
  for (std::int64_t m = 0; m < a.keys; m += kKeys) {
    const int keys = a.keys - m < kKeys ? static_cast<int>(a.keys - m) : kKeys;
    for (int c = 0; c < keys; c += 32) {
      const Half* left = keys_at + (m + c) * d32;
      score_tiles(s.query, d32, left, left + 16 * d32, s.scores + c);
    }
    for (int r = 0; r < kRows; ++r)
      soften_row(s.scores + r * kKeys, s.weights + r * kKeys, keys, scale, s.largest[r], s.total[r], s.sums + r * d16,
                 d16);
    for (std::int64_t i = 0; i < d16; i += 32)
      weigh_tiles(s.weights, keys, values_at + m * d16 + i / 16 * kTile, d16, d16 - i >= 32, s.sums + i);
  }
  finish(a, batch, head, first, s);
}

/// Eight tiles of 16 rows of 64 bytes. A constant: the intrinsic does not tell the compiler that it reads all of it.
struct alignas(64) TileConfig {
  std::uint8_t palette, start_row, reserved[14];
  std::uint16_t columns[16];
  std::uint8_t rows[16];
};
constexpr TileConfig kTiles{1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

void enter() { _tile_loadconfig(&kTiles); }

void leave() { _tile_release(); }

}  // namespace

const AttentionKernel kAmx{kRows, packed_bytes, scratch_bytes, pack, attend, enter, leave};

}  // namespace refrain::diffusion::kernels
