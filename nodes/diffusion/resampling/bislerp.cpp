#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include "kernels.hpp"

namespace refrain::diffusion {

namespace {

constexpr double kClose = 1e-5;  // of cosines to 1 or -1: no plane to turn in

/// b1, b2 [M, C], r [M, 1] -> [M, C].
at::Tensor slerp(const at::Tensor& b1, const at::Tensor& b2, const at::Tensor& r) {
  const at::Tensor length1 = b1.norm(2, {-1}, true), length2 = b2.norm(2, {-1}, true);
  const at::Tensor unit1 = at::where(length1 == 0, at::zeros_like(b1), b1 / length1);
  const at::Tensor unit2 = at::where(length2 == 0, at::zeros_like(b2), b2 / length2);
  const at::Tensor cosine = (unit1 * unit2).sum(1, true);
  const at::Tensor angle = cosine.acos(), sine = angle.sin();
  const at::Tensor turned = (((1.0 - r) * angle).sin() / sine) * unit1 + ((r * angle).sin() / sine) * unit2;
  at::Tensor result = turned * (length1 * (1.0 - r) + length2 * r);
  result = at::where(cosine > 1 - kClose, b1, result);
  return at::where(cosine < kClose - 1, b1 * (1.0 - r) + b2 * r, result);
}

/// Where the points of a new length lie between two old ones.
struct Positions {
  at::Tensor first, second;  // [length] int64
  at::Tensor ratio;          // [length]
};

Positions positions(std::int64_t from, std::int64_t to) {
  const auto stretched = [&](const at::Tensor& line) {
    return at::upsample_bilinear2d(line.view({1, 1, 1, from}), {1, to}, false).view({to});
  };
  const at::Tensor line = at::arange(from, at::kFloat);
  const at::Tensor first = stretched(line);
  return {first.to(at::kLong), stretched((line + 1).clamp_max(from - 1)).to(at::kLong), first - first.floor()};
}

/// Along the last axis: x [N, C, h, w] -> [N, C, h, width].
at::Tensor along_width(const at::Tensor& x, std::int64_t width) {
  const auto [first, second, ratio] = positions(x.size(3), width);
  const std::int64_t n = x.size(0), c = x.size(1), h = x.size(2);
  const auto rows = [&](const at::Tensor& index) {
    return x.index_select(3, index.to(x.device())).movedim(1, -1).reshape({-1, c});
  };
  const at::Tensor r = ratio.to(x.device()).view({1, 1, width, 1}).expand({n, h, width, 1}).reshape({-1, 1});
  return slerp(rows(first), rows(second), r).view({n, h, width, c}).movedim(-1, 1);
}

}  // namespace

at::Tensor bislerp(const at::Tensor& x, std::int64_t width, std::int64_t height) {
  const at::Tensor wide = along_width(x.to(at::kFloat), width);
  return along_width(wide.transpose(2, 3), height).transpose(2, 3).contiguous();
}

}  // namespace refrain::diffusion
