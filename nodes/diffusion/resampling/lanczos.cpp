#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "kernels.hpp"

namespace refrain::diffusion {

namespace {

constexpr double kLobes = 3;
constexpr int kBits = 22;  // of the fixed point weights

double sinc(double x) { return x == 0 ? 1 : std::sin(std::numbers::pi * x) / (std::numbers::pi * x); }
double window(double x) { return -kLobes <= x && x < kLobes ? sinc(x) * sinc(x / kLobes) : 0; }

/// Which old points make up a new one, and their weights in fixed point.
struct Taps {
  std::int64_t first;
  std::vector<int> weights;
};

std::vector<Taps> make_taps(std::int64_t from, std::int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0), support = kLobes * stretch;
  std::vector<Taps> all;
  for (std::int64_t i = 0; i < to; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(center - support + 0.5), 0);
    const auto last = std::min<std::int64_t>(static_cast<std::int64_t>(center + support + 0.5), from);
    std::vector<double> weights;
    double sum = 0;
    for (std::int64_t j = first; j < last; ++j) {
      weights.push_back(window((static_cast<double>(j) - center + 0.5) / stretch));
      sum += weights.back();
    }
    Taps taps{first, {}};
    for (const double weight : weights) {
      const double fixed = (sum == 0 ? weight : weight / sum) * (1 << kBits);
      taps.weights.push_back(static_cast<int>(fixed + (fixed < 0 ? -0.5 : 0.5)));
    }
    all.push_back(std::move(taps));
  }
  return all;
}

/// Along one axis of [outer, length, inner] bytes.
at::Tensor along(const at::Tensor& x, std::int64_t outer, std::int64_t from, std::int64_t inner, std::int64_t to) {
  if (from == to) return x;
  const std::vector<Taps> taps = make_taps(from, to);
  at::Tensor result = at::empty({outer, to, inner}, at::kByte);
  const std::uint8_t* in = x.const_data_ptr<std::uint8_t>();
  std::uint8_t* out = result.data_ptr<std::uint8_t>();
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < to; ++i) {
      for (std::int64_t k = 0; k < inner; ++k) {
        int sum = 1 << (kBits - 1);
        const std::uint8_t* point = in + (o * from + taps[i].first) * inner + k;
        for (const int weight : taps[i].weights) {
          sum += *point * weight;
          point += inner;
        }
        *out++ = static_cast<std::uint8_t>(std::clamp(sum >> kBits, 0, 255));
      }
    }
  }
  return result;
}

}  // namespace

at::Tensor lanczos(const at::Tensor& x, std::int64_t width, std::int64_t height) {
  const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2), w = x.size(3);
  if (c != 1 && c != 3) {
    throw Error("bad_channels",
                "lanczos resizes pictures of 1 or 3 channels, not of " + std::to_string(c) + "; choose another method");
  }
  const at::Tensor bytes = (x.to(at::kCPU, at::kFloat) * 255.0).clamp(0, 255).to(at::kByte).contiguous();
  // Columns first, as Pillow did up to version 12; Pillow 13 takes the rows first where that is less work, which moves
  // single values by one level.
  const at::Tensor wide = along(bytes, n * c * h, w, 1, width);
  const at::Tensor tall = along(wide, n * c, h, width, height);
  return (tall.view({n, c, height, width}).to(at::kFloat) / 255.0).to(x.device());
}

}  // namespace refrain::diffusion
