// iPNDM with weights that follow the lengths of the last steps, up to order 4, as the diff-sampler toolbox (Zhou et
// al.) has them. Fast Sampling of Diffusion Models with Exponential Integrator. Zhang, Chen. ICLR 2023,
// arXiv:2204.13902, section 4.

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <deque>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

constexpr std::size_t kOrder = 4;

/// Weights of the last `order` slopes, newest first, for the step from sigma i.
std::array<float, kOrder> weights(const Sigmas& s, int i, std::size_t order) {
  if (order == 1) return {1};
  const float h0 = s[i + 1] - s[i], h1 = s[i] - s[i - 1];
  const float a = (2 + h0 / h1) / 2, b = -(h0 / h1) / 2;
  if (order == 2) return {a, b};
  const float h2 = s[i - 1] - s[i - 2];
  const float third = (1 - h0 / (3 * (h0 + h1)) * (h0 * (h0 + h1)) / (h1 * (h1 + h2))) / 2;
  if (order == 3) return {a + third, b - (1 + h1 / h2) * third, third * h1 / h2};
  const float h3 = s[i - 2] - s[i - 3];
  const float fourth = ((1 - h0 / (3 * (h0 + h1))) / 2 + (1 - h0 / (2 * (h0 + h1))) * h0 / (6 * (h0 + h1 + h2))) *
                       (h0 * (h0 + h1) * (h0 + h1 + h2)) / (h1 * (h1 + h2) * (h1 + h2 + h3));
  const float q = h1 * (h1 + h2) / (h2 * (h2 + h3));
  return {a + third + fourth, b - (1 + h1 / h2) * third - (1 + h1 / h2 + q) * fourth,
          third * h1 / h2 + (h1 / h2 + q * (1 + h2 / h3)) * fourth, -fourth * q * h1 / h2};
}

}  // namespace

at::Tensor sample_ipndm_v(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  std::deque<at::Tensor> slopes;  // newest first
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    slopes.push_front(derivative(x, sigmas[i], denoised));
    if (slopes.size() > kOrder) slopes.pop_back();
    at::Tensor next = denoised;
    if (sigmas[i + 1] != 0) {
      const auto w = weights(sigmas, i, slopes.size());
      at::Tensor sum = slopes.size() == 1 ? slopes[0] : w[0] * slopes[0];
      for (std::size_t j = 1; j < slopes.size(); ++j) sum = sum + w[j] * slopes[j];
      next = x + (sigmas[i + 1] - sigmas[i]) * sum;
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
