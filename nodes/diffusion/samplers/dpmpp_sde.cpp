// DPM-Solver++ for the diffusion SDE, two evaluations a step, noise after each: r = 1/2, eta = 1.
// DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models. Lu et al. 2022, arXiv:2211.01095,
// section 5 and appendix C, in the form of k-diffusion.

#include <ATen/TensorOperators.h>

#include "brownian_tree.hpp"
#include "samplers.hpp"
#include "step_noise.hpp"

namespace refrain::diffusion {

at::Tensor sample_dpmpp_sde(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                            const SamplerOptions& options) {
  BrownianNoise noise(x, sigmas, options.noise_seed);
  for (int i = 0; i < step_count(sigmas); ++i) {
    const float from = sigmas[i], to = sigmas[i + 1];
    const at::Tensor denoised = denoise(x, from, {i, 0});
    at::Tensor next = denoised;
    if (to != 0) {
      const float l_from = log_snr(from), l_to = log_snr(to), l_middle = l_from + 0.5F * (l_to - l_from);
      const float middle = std::exp(-l_middle);
      // Each is 1 but for its rounding, which ComfyUI has, too.
      const float a_from = from * std::exp(l_from), a_middle = middle * std::exp(l_middle), a_to = to * std::exp(l_to);

      const auto [down_middle, up_middle] = ancestral_step(std::exp(-l_from), std::exp(-l_middle));
      const float h_middle = log_snr(down_middle) - l_from;
      const at::Tensor x_middle = a_middle / a_from * std::exp(-h_middle) * x -
                                  a_middle * std::expm1(-h_middle) * denoised +
                                  a_middle * noise.between(from, middle) * up_middle;
      const at::Tensor denoised_there = denoise(x_middle, middle, {i, 1});

      const auto [down, up] = ancestral_step(std::exp(-l_from), std::exp(-l_to));
      const float h = log_snr(down) - l_from;
      next = a_to / a_from * std::exp(-h) * x - a_to * std::expm1(-h) * denoised_there +
             a_to * noise.between(from, to) * up;
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
