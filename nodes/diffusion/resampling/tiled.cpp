#include <refrain/diffusion/tiled.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/zeros.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

namespace refrain::diffusion {

namespace {

using Function = std::function<at::Tensor(const at::Tensor&)>;

std::int64_t scaled(std::int64_t length, double scale) {
  return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(length) * scale));
}

struct Span {
  std::int64_t begin, length;
};

std::vector<Span> spans(std::int64_t side, std::int64_t tile, std::int64_t overlap) {
  if (side <= tile) return {{0, side}};
  if (overlap < 0 || overlap >= tile) {
    throw Error("bad_overlap", "tiles of " + std::to_string(tile) + " can't overlap by " + std::to_string(overlap) +
                                   "; make the tiles larger or the overlap smaller");
  }
  std::vector<Span> found;
  for (std::int64_t begin = 0; begin < side - overlap; begin += tile - overlap) {
    found.push_back({begin, std::min(tile, side - begin)});
  }
  return found;
}

/// 1, falling over `reach` towards all four sides.
at::Tensor feathered(const at::Tensor& like, std::int64_t reach) {
  at::Tensor weight = at::ones_like(like);
  for (const int axis : {2, 3}) {
    const std::int64_t length = weight.size(axis);
    if (reach >= length) continue;
    for (std::int64_t i = 0; i < reach; ++i) {
      const double share = static_cast<double>(i + 1) / static_cast<double>(reach);
      weight.select(axis, i).mul_(share);
      weight.select(axis, length - 1 - i).mul_(share);
    }
  }
  return weight;
}

at::Tensor tiled_one(const at::Tensor& x, const Function& function, const Tiling& tiling, double scale) {
  if (x.size(2) <= tiling.height && x.size(3) <= tiling.width) return function(x);
  at::Tensor sum, weights;
  for (const Span& rows : spans(x.size(2), tiling.height, tiling.overlap)) {
    for (const Span& columns : spans(x.size(3), tiling.width, tiling.overlap)) {
      const at::Tensor part = function(x.narrow(2, rows.begin, rows.length).narrow(3, columns.begin, columns.length));
      if (!sum.defined()) {
        const std::vector<std::int64_t> shape{1, part.size(1), scaled(x.size(2), scale), scaled(x.size(3), scale)};
        sum = at::zeros(shape, part.options());
        weights = at::zeros(shape, part.options());
      }
      const at::Tensor weight = feathered(part, scaled(tiling.overlap, scale));
      const auto place = [&](const at::Tensor& whole) {
        return whole.narrow(2, scaled(rows.begin, scale), part.size(2))
            .narrow(3, scaled(columns.begin, scale), part.size(3));
      };
      place(sum).add_(part * weight);
      place(weights).add_(weight);
    }
  }
  return sum / weights;
}

}  // namespace

at::Tensor tiled(const at::Tensor& x, const Function& function, const Tiling& tiling, double scale) {
  if (x.dim() != 4 || x.numel() == 0) throw ShapeError("bad_picture", "only [N, C, h, w] can be cut into tiles");
  std::vector<at::Tensor> pictures;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    pictures.push_back(tiled_one(x.narrow(0, i, 1), function, tiling, scale));
  }
  return at::cat(pictures);
}

at::Tensor mean_over_tilings(const at::Tensor& x, const Function& function, std::int64_t tile, std::int64_t overlap,
                             double scale) {
  const auto run = [&](std::int64_t width, std::int64_t height) {
    return tiled(x, function, {width, height, overlap}, scale);
  };
  return (run(tile / 2, tile * 2) + run(tile * 2, tile / 2) + run(tile, tile)) / 3.0;
}

}  // namespace refrain::diffusion
