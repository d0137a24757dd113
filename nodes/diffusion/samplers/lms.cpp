// Linear multistep of order 4: the polynomial through the last slopes, integrated over the step.
// Adams and Bashforth's method with uneven steps; in the form of k-diffusion (Katherine Crowson), which takes sigma for
// the time. See Pseudo Numerical Methods for Diffusion Models on Manifolds. Liu et al. ICLR 2022, arXiv:2202.09778.

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cstddef>
#include <deque>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

constexpr int kOrder = 4;

/// The integral over the step from sigma i of the Lagrange polynomial that is 1 at sigma i - j and 0 at the other
/// `order` - 1. Two points would be exact; k-diffusion's quadrature takes 21 (Gauss and Kronrod's, as QUADPACK), and
/// its polynomial is computed in float32, which shows where a large step follows tiny ones.
double coefficient(const Sigmas& sigmas, int order, int i, int j) {
  using Rule = boost::math::quadrature::gauss_kronrod<double, 21>;
  const double from = sigmas[i], to = sigmas[i + 1];
  const double centre = 0.5 * (from + to), half = 0.5 * (to - from);
  const auto polynomial = [&](double sigma) -> double {
    const auto at = static_cast<float>(sigma);
    float product = 1;
    for (int k = 0; k < order; ++k) {
      if (k != j) product *= (at - sigmas[i - k]) / (sigmas[i - j] - sigmas[i - k]);
    }
    return product;
  };
  double sum = Rule::weights()[0] * polynomial(centre);
  for (std::size_t n = 1; n < Rule::abscissa().size(); ++n) {
    const double away = half * Rule::abscissa()[n];
    sum += Rule::weights()[n] * (polynomial(centre - away) + polynomial(centre + away));
  }
  return sum * half;
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
