#include <refrain/diffusion/resize.hpp>

#include <ATen/ops/_upsample_nearest_exact2d.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/upsample_bicubic2d.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <refrain/diffusion/error.hpp>

#include <array>
#include <cmath>

#include "kernels.hpp"

namespace refrain::diffusion {

namespace {

constexpr std::array kMethods{"nearest-exact", "bilinear", "area", "bicubic", "bislerp", "lanczos"};

/// What is left when the sides' ratio is made that of width and height.
at::Tensor center_cropped(const at::Tensor& x, std::int64_t width, std::int64_t height) {
  const auto w = static_cast<double>(x.size(3)), h = static_cast<double>(x.size(2));
  const double have = w / h, want = static_cast<double>(width) / static_cast<double>(height);
  std::int64_t left = 0, top = 0;
  if (have > want) left = static_cast<std::int64_t>(std::nearbyint((w - w * (want / have)) / 2));
  if (have < want) top = static_cast<std::int64_t>(std::nearbyint((h - h * (have / want)) / 2));
  return x.narrow(2, top, x.size(2) - top * 2).narrow(3, left, x.size(3) - left * 2);
}

}  // namespace

Resampling find_resampling(const std::string& name) {
  std::string known;
  for (std::size_t i = 0; i < kMethods.size(); ++i) {
    if (name == kMethods[i]) return static_cast<Resampling>(i);
    known.append(known.empty() ? "" : ", ").append(kMethods[i]);
  }
  throw Error("unknown_resampling", "there is no way \"" + name + "\" to resize; there are: " + known);
}

at::Tensor resized(const at::Tensor& x, std::int64_t width, std::int64_t height, Resampling method, bool center) {
  if (width < 1 || height < 1) {
    throw Error("bad_size", "can't resize to " + std::to_string(width) + " x " + std::to_string(height));
  }
  const at::Tensor from = center ? center_cropped(x, width, height) : x;
  switch (method) {
    case Resampling::nearest_exact: return at::_upsample_nearest_exact2d(from, {height, width});
    case Resampling::bilinear: return at::upsample_bilinear2d(from, {height, width}, false);
    case Resampling::area: return at::adaptive_avg_pool2d(from, {height, width});
    case Resampling::bicubic: return at::upsample_bicubic2d(from, {height, width}, false);
    case Resampling::bislerp: return bislerp(from, width, height);
    case Resampling::lanczos: return lanczos(from, width, height);
  }
  return from;
}

std::int64_t in_proportion(std::int64_t side, std::int64_t to, std::int64_t from) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(side * to) / static_cast<double>(from)));
}

at::Tensor repeated_to(const at::Tensor& x, std::int64_t count) {
  const std::int64_t have = x.size(0);
  if (have >= count) return x.narrow(0, 0, count);
  std::vector<std::int64_t> times(x.dim(), 1);
  times[0] = (count + have - 1) / have;
  return x.repeat(times).narrow(0, 0, count);
}

}  // namespace refrain::diffusion
