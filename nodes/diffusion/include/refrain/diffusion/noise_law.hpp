#pragma once

#include <cstdint>

namespace refrain::diffusion {

/// How the betas of a family's training steps are laid out.
/// Denoising Diffusion Probabilistic Models. Ho et al. NeurIPS 2020, arXiv:2006.11239, section 4 (linear);
/// CompVis latent-diffusion, ldm/modules/diffusionmodules/util.py, make_beta_schedule (its "linear" is scaled_linear).
struct NoiseLaw {
  enum class Spacing : std::uint8_t {
    scaled_linear,  ///< linspace(sqrt(first), sqrt(last))^2
    linear,         ///< linspace(first, last)
  };
  Spacing spacing = Spacing::scaled_linear;
  double first = 0.00085;
  double last = 0.012;
  int steps = 1000;
};

}  // namespace refrain::diffusion
