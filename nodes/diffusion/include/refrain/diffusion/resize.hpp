#pragma once
// Resizing of latents and pictures, as ComfyUI does it (comfy/utils.py, common_upscale).

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace refrain::diffusion {

enum class Resampling : std::uint8_t { nearest_exact, bilinear, area, bicubic, bislerp, lanczos };

/// By ComfyUI's name ("nearest-exact", ...). Throws Error listing those that there are.
Resampling find_resampling(const std::string& name);

/// x [N, C, h, w] float32 -> [N, C, height, width]. `center` first cuts off what the new sides' ratio leaves no room
/// for, equally on both sides. bislerp turns the vectors of channels instead of mixing them; lanczos is Pillow's, on
/// pictures in 0..1 of 1 or 3 channels rounded down to 8 bits. Throws Error for sides below 1 and for lanczos of other
/// channels.
at::Tensor resized(const at::Tensor& x, std::int64_t width, std::int64_t height, Resampling method,
                   bool center = false);

/// `side` times to / from, rounded to even: the other side of what keeps its proportions.
std::int64_t in_proportion(std::int64_t side, std::int64_t to, std::int64_t from);

/// x [M, ...] -> [N, ...] with N = count: the first ones, or all of them over and over.
at::Tensor repeated_to(const at::Tensor& x, std::int64_t count);

}  // namespace refrain::diffusion
