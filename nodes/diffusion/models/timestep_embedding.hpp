#pragma once
// Sinusoids of the time step: Denoising Diffusion Probabilistic Models, Ho et al. NeurIPS 2020, arXiv:2006.11239,
// appendix B; order and frequencies as in CompVis latent-diffusion, ldm/modules/diffusionmodules/util.py.

#include "ops/linear.hpp"

#include <ATen/core/Tensor.h>

namespace refrain::diffusion {

/// timesteps [N] float32 -> [N, width] float32: cos(t f_i), then sin(t f_i), f_i = 10000^(-i / (width / 2)).
/// Always float32: in fewer bits neighbouring steps are one.
at::Tensor timestep_sinusoids(const at::Tensor& timesteps, int width);

/// Two linear layers on the sinusoids: Linear(SiLU(Linear(temb))).
class TimestepEmbedding {
 public:
  /// Takes "0" [E, width] and "2" [E, E].
  TimestepEmbedding(const Weights& weights, int width, int embedding_width);

  at::Tensor operator()(const at::Tensor& timesteps) const;  ///< [N] -> [N, E] in the dtype of computation

 private:
  Linear first_;
  Linear second_;
  at::ScalarType dtype_;
  int width_;
};

}  // namespace refrain::diffusion
