#pragma once
// A rough picture of a latent, without its autoencoder.

#include <ATen/core/Tensor.h>

namespace refrain::diffusion {

/// The first latent of a batch as colours: each of its pixels is a linear map of its four channels, ComfyUI's
/// `latent_rgb_factors` for SD 1.x (comfy/latent_formats.py), brought from -1..1 to 0..1 (latent_preview.py).
/// latent [N, 4, h, w], as the sampler sees it, of any float type -> float32 [h, w, 3] in 0..1 on the CPU.
/// Undefined for a latent of another number of channels: no factors are known for those.
at::Tensor latent_preview(const at::Tensor& latent);

}  // namespace refrain::diffusion
