// Improved pseudo linear multistep: Adams and Bashforth's weights for even steps, up to order 4.
// Fast Sampling of Diffusion Models with Exponential Integrator. Zhang, Chen. ICLR 2023, arXiv:2204.13902, section 4
// (iPNDM), after Pseudo Numerical Methods for Diffusion Models on Manifolds. Liu et al. ICLR 2022, arXiv:2202.09778.

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <deque>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

/// The slope for a step, out of the last ones, the newest first.
at::Tensor combined(const std::deque<at::Tensor>& d) {
  switch (d.size()) {
    case 1: return d[0];
    case 2: return (3 * d[0] - d[1]) / 2;
    case 3: return (23 * d[0] - 16 * d[1] + 5 * d[2]) / 12;
    default: return (55 * d[0] - 59 * d[1] + 37 * d[2] - 9 * d[3]) / 24;
  }
}

}  // namespace

at::Tensor sample_ipndm(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  constexpr std::size_t kOrder = 4;
  std::deque<at::Tensor> slopes;  // newest first
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    slopes.push_front(derivative(x, sigmas[i], denoised));
    if (slopes.size() > kOrder) slopes.pop_back();
    const at::Tensor next = sigmas[i + 1] == 0 ? denoised : x + (sigmas[i + 1] - sigmas[i]) * combined(slopes);
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
