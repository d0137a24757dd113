#pragma once
#include "ops/linear.hpp"
#include "ops/norm.hpp"

namespace refrain::diffusion {

/// Attention over places with one head as wide as the tensor, from 1x1 convolutions; + x. In the autoencoder and in the
/// U-Net of Denoising Diffusion Probabilistic Models, Ho et al. NeurIPS 2020, arXiv:2006.11239, appendix B.
/// CompVis stable-diffusion, ldm/modules/diffusionmodules/model.py; ermongroup ddim, models/diffusion.py.
/// Letters: N batch, C channels, h w sides.
class PlaceAttention {
 public:
  /// Takes "norm", "q", "k", "v", "proj_out"; [C, C] or [C, C, 1, 1].
  PlaceAttention(const Weights& weights, int width);
  at::Tensor operator()(const at::Tensor& x) const;  ///< [N, C, h, w] -> the same

 private:
  GroupNorm norm_;
  Linear q_, k_, v_, out_;
};

}  // namespace refrain::diffusion
