#pragma once
// Pictures as the autoencoder takes them, and latents from them.

#include <refrain/payloads.hpp>

#include <refrain/diffusion/model.hpp>

namespace refrain {

/// pixels [N, H, W, 3 or more] in 0..1 -> [N, 3, H', W'] in -1..1, the sides cut to multiples of what a cell of the
/// latent covers, equally on both sides. Throws NodeError for pictures smaller than that or with fewer channels.
at::Tensor encoder_input(const diffusion::Vae& vae, const at::Tensor& pixels);

/// The latents of pictures [N, H, W, 3 or more] in 0..1, unscaled.
Latent encoded(const diffusion::Vae& vae, const at::Tensor& pixels);

/// A mask [M, H, W] for pictures: bilinear to their size, [M, 1, height, width].
at::Tensor mask_for(const at::Tensor& mask, std::int64_t height, std::int64_t width);

/// Sides cut to multiples of `unit`, equally on both sides; for the masks and pictures of inpainting.
struct Cut {
  std::int64_t y, x, height, width;

  Cut(std::int64_t height, std::int64_t width, std::int64_t unit);
  /// Of [.., H, W] or, with channels last, [.., H, W, C].
  at::Tensor of(const at::Tensor& tensor, int row_axis) const;
};

/// Pictures [N, H, W, 3 or more] with grey where the mask [M, 1, H, W] is above a half.
at::Tensor greyed(const at::Tensor& pixels, const at::Tensor& mask);

}  // namespace refrain
