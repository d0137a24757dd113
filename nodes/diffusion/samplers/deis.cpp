// DEIS, the variant tAB of order 3: the exponential integrator whose polynomial runs through the last slopes in the
// time of a linear variance preserving schedule. Steps to sigma 0 are Euler's. Fast Sampling of Diffusion Models with
// Exponential Integrator. Zhang, Chen. ICLR 2023, arXiv:2204.13902, eq. 14 and 15, with the integrals summed over 10000
// points in float32, as the diff-sampler toolbox (Zhou et al.) does it.

#include <ATen/TensorOperators.h>
#include <ATen/ops/linspace.h>

#include <algorithm>
#include <deque>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

constexpr std::size_t kOrder = 3;
constexpr int kPoints = 10000;

/// The linear schedule whose sigmas are 0.002 at the time 0.001 and 80 at 1. Float32 throughout: its rounding decides
/// the third digit of the slope, and so the picture.
struct LinearSchedule {
  float slope = 0;  // of beta
  float first = 0;  // beta at time 0

  LinearSchedule() {
    const float start = 1e-3F, low = 0.002F, high = 80.0F;
    const float low_log = std::log(low * low + 1), high_log = std::log(high * high + 1);
    slope = 2 * (low_log / start - high_log) / static_cast<float>(1e-3 - 1);
    first = high_log - 0.5F * slope;
  }
  float time(float sigma) const {
    return (std::sqrt(first * first + 2 * slope * std::log(sigma * sigma + 1)) - first) / slope;
  }
  /// d rho / dt in terms of alpha, at many times.
  at::Tensor weight(const at::Tensor& t) const {
    const float range = (slope + first) - first;
    const at::Tensor alpha = (-0.5 * t.pow(2) * range - t * first).exp();
    const at::Tensor log_slope = -(t * range) - first;
    return -0.5 * log_slope / (alpha * (1 - alpha)).sqrt();
  }
};

/// Weights of the last `order` slopes, newest first, for the step from sigma i.
std::vector<float> weights(const LinearSchedule& schedule, const Sigmas& sigmas, int i, std::size_t order) {
  const float from = schedule.time(sigmas[i]), to = schedule.time(sigmas[i + 1]);
  const at::Tensor times = at::linspace(from, to, kPoints, at::TensorOptions(at::kFloat));
  const at::Tensor integrand = schedule.weight(times);
  std::vector<float> nodes;
  for (std::size_t k = 0; k < order; ++k) nodes.push_back(schedule.time(sigmas[i - static_cast<int>(k)]));
  std::vector<float> found;
  for (std::size_t j = 0; j < order; ++j) {
    at::Tensor polynomial;
    for (std::size_t k = 0; k < order; ++k) {
      if (k == j) continue;
      const at::Tensor factor = (times - nodes[k]) / (nodes[j] - nodes[k]);
      polynomial = polynomial.defined() ? polynomial * factor : factor;
    }
    found.push_back((integrand * polynomial).sum().item<float>() * ((to - from) / kPoints));
  }
  return found;
}

}  // namespace

at::Tensor sample_deis(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  const LinearSchedule schedule;
  std::deque<at::Tensor> slopes;  // newest first
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    slopes.push_front(derivative(x, sigmas[i], denoised));
    if (slopes.size() > kOrder) slopes.pop_back();
    at::Tensor next = x;
    if (slopes.size() == 1 || sigmas[i + 1] <= 0) {
      next = x + (sigmas[i + 1] - sigmas[i]) * slopes[0];
    } else {
      const std::vector<float> w = weights(schedule, sigmas, i, slopes.size());
      for (std::size_t j = 0; j < slopes.size(); ++j) next = next + w[j] * slopes[j];
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
