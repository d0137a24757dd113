// UniPC: a multistep predictor of order up to 3 whose corrector uses the next step's evaluation; data prediction, with
// B(h) = h ("uni_pc") or e^h - 1 ("uni_pc_bh2"). A final sigma of 0 stands for 0.001.
// UniPC: A Unified Predictor-Corrector Framework for Fast Sampling of Diffusion Models. Zhao et al. NeurIPS 2023,
// arXiv:2302.04867, algorithms 5 to 8 (multistep UniP and UniC) and section 3.3 (B(h)).

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_solve.h>

#include <algorithm>
#include <deque>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

constexpr int kMostOrder = 3;
constexpr float kInsteadOfZero = 1e-3F;

enum class Variant { bh1, bh2 };

/// Alpha and sigma of the variance preserving process, and half the logarithm of their squares' ratio.
struct Level {
  float alpha, sigma, lambda;

  explicit Level(float s) {
    const float log_alpha = 0.5F * std::log(1 / (s * s + 1));
    const float noise = 1 - std::exp(2 * log_alpha);
    alpha = std::exp(log_alpha);
    sigma = std::sqrt(noise);
    lambda = log_alpha - 0.5F * std::log(noise);
  }
};

/// A level visited, with the denoised latent there.
struct Point {
  float s;
  at::Tensor denoised;
};

/// The weights of the divided differences: R rho = b, of which the first `rows` equations and unknowns.
std::vector<float> solve(const std::vector<float>& r, const std::vector<float>& b, int rows) {
  std::vector<float> matrix;
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < rows; ++j) matrix.push_back(std::pow(r[j], static_cast<float>(i)));
  }
  std::vector<float> right(b.begin(), b.begin() + rows);
  const at::Tensor solution = at::linalg_solve(at::from_blob(matrix.data(), {rows, rows}, at::kFloat),
                                               at::from_blob(right.data(), {rows}, at::kFloat));
  const float* first = solution.const_data_ptr<float>();
  return {first, first + rows};
}

class UniPc {
 public:
  UniPc(const Denoiser& denoise, Variant variant) : denoise_(denoise), variant_(variant) {}

  /// The denoised latent for x of the variance preserving process.
  at::Tensor evaluate(const at::Tensor& x, float s, int step) const {
    const at::Tensor scaled = x * std::sqrt(s * s + 1);
    const at::Tensor noise = (scaled - denoise_(scaled, s, {step, 0})) / s;
    const Level level(s);
    return (x - level.sigma * noise) / level.alpha;
  }

  /// From the newest point of `history` to s: predicts, evaluates there and corrects; `denoised` becomes the value of
  /// that evaluation. Without `correct` it stays at the prediction and evaluates nothing.
  at::Tensor update(const at::Tensor& x, const std::deque<Point>& history, float s, int order, int step, bool correct,
                    at::Tensor& denoised) const {
    const Level from(history[0].s), to(s);
    const float h = to.lambda - from.lambda, hh = -h, growth = std::expm1(hh);
    std::vector<float> r;
    std::vector<at::Tensor> differences;
    for (int i = 1; i < order; ++i) {
      r.push_back((Level(history[i].s).lambda - from.lambda) / h);
      differences.push_back((history[i].denoised - history[0].denoised) / r.back());
    }
    r.push_back(1);

    const float scale = to.alpha * (variant_ == Variant::bh1 ? hh : growth);
    const std::vector<float> b = right_side(hh, growth, order);
    const at::Tensor base = to.sigma / from.sigma * x - to.alpha * growth * history[0].denoised;
    at::Tensor result = base;
    if (order > 1) {
      const std::vector<float> rho = order == 2 ? std::vector{0.5F} : solve(r, b, order - 1);
      result = base - scale * weighted(differences, rho);
    }
    if (!correct) return result;
    denoised = evaluate(result, s, step);
    const std::vector<float> rho = order == 1 ? std::vector{0.5F} : solve(r, b, order);
    at::Tensor sum = rho.back() * (denoised - history[0].denoised);
    if (order > 1) sum = weighted(differences, rho) + sum;
    return base - scale * sum;
  }

 private:
  static at::Tensor weighted(const std::vector<at::Tensor>& differences, const std::vector<float>& rho) {
    at::Tensor sum = differences[0] * rho[0];
    for (std::size_t k = 1; k < differences.size(); ++k) sum = sum + differences[k] * rho[k];
    return sum;
  }

  std::vector<float> right_side(float hh, float growth, int order) const {
    const float size = variant_ == Variant::bh1 ? hh : growth;
    std::vector<float> b;
    float phi = growth / hh - 1;
    float factorial = 1;
    for (int i = 1; i <= order; ++i) {
      b.push_back(phi * factorial / size);
      factorial *= static_cast<float>(i + 1);
      phi = phi / hh - 1 / factorial;
    }
    return b;
  }

  const Denoiser& denoise_;
  Variant variant_;
};

at::Tensor sample(const Denoiser& denoise, at::Tensor x, Sigmas sigmas, const SamplerOptions& options,
                  Variant variant) {
  const int steps = step_count(sigmas);
  if (steps == 0) return x;
  if (sigmas.back() == 0) sigmas.back() = kInsteadOfZero;
  const UniPc solver(denoise, variant);
  const int order = std::min(kMostOrder, steps - 1);
  x = x / std::sqrt(1 + sigmas[0] * sigmas[0]);
  std::deque<Point> history;  // newest first
  const auto keep = [&](float s, const at::Tensor& denoised) {
    history.push_front({s, denoised});
    if (static_cast<int>(history.size()) > std::max(order, 1)) history.pop_back();
  };
  for (int i = 0; i < steps; ++i) {
    const at::Tensor start = x;
    at::Tensor denoised;
    if (i == 0) {
      denoised = solver.evaluate(x, sigmas[0], 0);
    } else {
      x = solver.update(x, history, sigmas[i], std::min({i, order, steps + 1 - i}), i, true, denoised);
    }
    keep(sigmas[i], denoised);
    if (i == steps - 1 && i >= order && order > 0) {
      x = solver.update(x, history, sigmas[steps], 1, i, false, denoised);
    }
    const float from = sigmas[std::max(i - 1, 0)];
    report(options, sigmas, i, start * std::sqrt(1 + from * from), denoised);
  }
  return x / Level(sigmas.back()).alpha;
}

}  // namespace

at::Tensor sample_uni_pc(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  return sample(denoise, std::move(x), sigmas, options, Variant::bh1);
}

at::Tensor sample_uni_pc_bh2(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas,
                             const SamplerOptions& options) {
  return sample(denoise, std::move(x), sigmas, options, Variant::bh2);
}

}  // namespace refrain::diffusion
