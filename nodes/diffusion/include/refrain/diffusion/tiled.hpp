#pragma once
// Running an autoencoder over tiles of a picture that is too large for it, as ComfyUI does it (comfy/utils.py,
// tiled_scale; comfy/sd.py).

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/autoencoder.hpp>

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

/// decode() over tiles: the mean over square, wide and tall ones, so that their borders don't show. `tile` and
/// `overlap` in cells of the latent. `on_tile`, when given, is called after each; throw from it to stop.
at::Tensor decode_tiled(const AutoencoderKL& autoencoder, const at::Tensor& latent, std::int64_t tile,
                        std::int64_t overlap, const std::function<void()>& on_tile = {});
/// encode() over tiles, likewise; `tile` and `overlap` in pixels.
at::Tensor encode_tiled(const AutoencoderKL& autoencoder, const at::Tensor& pixels, std::int64_t tile,
                        std::int64_t overlap, const std::function<void()>& on_tile = {});

}  // namespace refrain::diffusion
