#pragma once
// From a network's output to the denoised latent. Follows comfy/model_sampling.py and
// comfy_extras/nodes_model_advanced.py.

#include <refrain/diffusion/model.hpp>

namespace refrain::diffusion {

/// What the network is given for x at sigma.
at::Tensor network_input(Prediction prediction, const at::Tensor& x, float sigma);

/// The denoised latent that `output` stands for, at x and sigma; `timestep` is sigma's.
at::Tensor predicted_picture(Prediction prediction, const at::Tensor& output, const at::Tensor& x, float sigma,
                             float timestep);

/// Guidance whose result has, by the share `multiplier`, the standard deviation of what the positive prompt alone asks
/// for, picture by picture, both taken as velocities. Common Diffusion Noise Schedules and Sample Steps are Flawed. Lin
/// et al. WACV 2024, arXiv:2305.08891, section 3.4.
at::Tensor rescaled(const at::Tensor& x, float sigma, const at::Tensor& positive, const at::Tensor& negative,
                    double cfg, double multiplier);

}  // namespace refrain::diffusion
