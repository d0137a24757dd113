#pragma once
// Running an autoencoder over tiles of a picture that is too large for it, as ComfyUI does it (comfy/utils.py,
// tiled_scale; comfy/sd.py).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace refrain::diffusion {

/// Sides of a tile and what neighbouring ones share, in units of what goes in.
struct Tiling {
  std::int64_t width = 64;
  std::int64_t height = 64;
  std::int64_t overlap = 16;
};

/// x [N, C, h, w] -> [N, C', h * scale, w * scale]: `function` is called for every tile, [1, C, th, tw] -> [1, C', th *
/// scale, tw * scale]; where tiles overlap the results fade into each other. Throws Error for an overlap not below the
/// tile.
at::Tensor tiled(const at::Tensor& x, const std::function<at::Tensor(const at::Tensor&)>& function,
                 const Tiling& tiling, double scale);

/// The mean over square, wide and tall tiles, so that their borders don't show: of the area of a square of side `tile`.
at::Tensor mean_over_tilings(const at::Tensor& x, const std::function<at::Tensor(const at::Tensor&)>& function,
                             std::int64_t tile, std::int64_t overlap, double scale);

}  // namespace refrain::diffusion
