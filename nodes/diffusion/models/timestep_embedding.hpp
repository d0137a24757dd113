#pragma once
// Sinusoids of the time step: Denoising Diffusion Probabilistic Models, Ho et al. NeurIPS 2020, arXiv:2006.11239,
// appendix B; order and frequencies as in CompVis latent-diffusion, ldm/modules/diffusionmodules/util.py, in
// ermongroup ddim, models/diffusion.py, and in diffusers, models/embeddings.py.

#include "ops/linear.hpp"

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/unet.hpp>

namespace refrain::diffusion {

/// timesteps [N] float32 -> [N, width] float32, half = width / 2, i = 0 .. half - 1.
/// ldm: cos(t f_i), then sin(t f_i), f_i = 10000^(-i / half); ddpm: sin, then cos, f_i = 10000^(-i / (half - 1)).
/// Always float32: in fewer bits neighbouring steps are one.
at::Tensor timestep_sinusoids(const at::Tensor& timesteps, int width, UNetStyle style = UNetStyle::ldm,
                              Frequencies frequencies = Frequencies::original);

/// Two linear layers on the sinusoids: Linear(SiLU(Linear(temb))).
class TimestepEmbedding {
 public:
  /// `first` [E, width] and `second` [E, E]: where the two layers' weights are.
  TimestepEmbedding(const Weights& first, const Weights& second, int width, int embedding_width, UNetStyle style);

  /// [N] -> [N, E] in the dtype of computation.
  at::Tensor operator()(const at::Tensor& timesteps, Frequencies frequencies) const;

 private:
  Linear first_;
  Linear second_;
  at::ScalarType dtype_;
  int width_;
  UNetStyle style_;
};

}  // namespace refrain::diffusion
