// Linear multistep of order 4: the polynomial through the last slopes, integrated over the step.
// Adams and Bashforth's method with uneven steps; in the form of k-diffusion (Katherine Crowson), which takes sigma for
// the time. See Pseudo Numerical Methods for Diffusion Models on Manifolds. Liu et al. ICLR 2022, arXiv:2202.09778.

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>
#include <deque>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

constexpr int kOrder = 4;

/// The integral over the step from sigma i of the Lagrange polynomial that is 1 at sigma i - j and 0 at the other
/// `order` - 1. Two Gauss points are exact up to the third degree.
double coefficient(const Sigmas& sigmas, int order, int i, int j) {
  const double from = sigmas[i], to = sigmas[i + 1];
  double sum = 0;
  for (const double point : {-std::sqrt(1.0 / 3), std::sqrt(1.0 / 3)}) {
    const double at = (from + to) / 2 + point * (to - from) / 2;
    double product = 1;
    for (int k = 0; k < order; ++k) {
      if (k != j) product *= (at - sigmas[i - k]) / (static_cast<double>(sigmas[i - j]) - sigmas[i - k]);
    }
    sum += product;
  }
  return sum * (to - from) / 2;
}

}  // namespace

at::Tensor sample_lms(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  std::deque<at::Tensor> slopes;  // newest first
  for (int i = 0; i < step_count(sigmas); ++i) {
    const at::Tensor denoised = denoise(x, sigmas[i], {i, 0});
    slopes.push_front(derivative(x, sigmas[i], denoised));
    if (slopes.size() > kOrder) slopes.pop_back();
    at::Tensor next = denoised;
    if (sigmas[i + 1] != 0) {
      const int order = std::min(i + 1, kOrder);
      at::Tensor sum = slopes[0] * coefficient(sigmas, order, i, 0);
      for (int j = 1; j < order; ++j) sum = sum + slopes[j] * coefficient(sigmas, order, i, j);
      next = x + sum;
    }
    report(options, sigmas, i, x, denoised);
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
