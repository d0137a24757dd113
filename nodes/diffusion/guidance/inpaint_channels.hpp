#pragma once
// What inpainting models see beside the latent: a mask, and the picture without what it covers.
// High-Resolution Image Synthesis with Latent Diffusion Models. Rombach et al. CVPR 2022, arXiv:2112.10752,
// section 4.5; follows comfy/model_base.py (concat_cond).

#include <refrain/diffusion/sampling.hpp>

namespace refrain::diffusion {

/// [N, 1 + C, h, w] for a model whose network takes that many channels beside the latent's C; undefined for one that
/// takes none. `latent` [N, C, h, w] is scaled. Without a mask it is ones and the latent of a blank picture. Throws
/// ModelError for another number of channels.
at::Tensor inpaint_channels(const Model& model, const Condition& condition, const at::Tensor& latent,
                            const at::Tensor& noise_mask);

}  // namespace refrain::diffusion
