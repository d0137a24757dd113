// DDIM without noise (eta = 0).
// Denoising Diffusion Implicit Models. Song, Meng, Ermon. ICLR 2021, arXiv:2010.02502, eq. 12; by its eq. 13 the update
// of x / sqrt(alpha) is Euler's method in sigma = sqrt((1 - alpha) / alpha), which is how ComfyUI runs it.

#include <utility>

#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_ddim(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                       const SamplerOptions& options) {
  return sample_euler(denoise, std::move(x), sigmas, options);
}

}  // namespace refrain::diffusion
