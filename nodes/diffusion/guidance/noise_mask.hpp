#pragma once
// Keeping a part of the latent as it is while the rest is sampled. Follows comfy/samplers.py (KSamplerX0Inpaint).

#include <refrain/diffusion/sampling.hpp>

namespace refrain::diffusion {

/// A noise mask [M, 1, H, W] for latents of the given shape [N, C, h, w]: bilinear to their size, channels and pictures
/// repeated; not rounded.
at::Tensor fitted_noise_mask(const at::Tensor& mask, at::IntArrayRef shape);

/// `denoise` where the mask is 1; where it is 0 the network sees `latent` with `noise` of the sigma at hand, and the
/// latent is the answer; between the two, a mixture. All are [N, C, h, w]; refers to `denoise`. RePaint: Inpainting
/// using Denoising Diffusion Probabilistic Models. Lugmayr et al. CVPR 2022, arXiv:2201.09865, eq. 8.
Denoiser masked(const Denoiser& denoise, const at::Tensor& mask, const at::Tensor& latent, const at::Tensor& noise);

}  // namespace refrain::diffusion
