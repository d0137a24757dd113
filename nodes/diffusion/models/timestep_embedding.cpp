#include "models/timestep_embedding.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>

#include <cmath>

namespace refrain::diffusion {

namespace {

// The order of operations is each reference's: one unit in the last place of f is 6e-5 of a phase at t = 999.
at::Tensor frequencies(int half, UNetStyle style, const at::TensorOptions& options) {
  const at::Tensor i = at::arange(half, options);
  if (style == UNetStyle::ldm) return (i * -std::log(10000.0)).div_(half).exp_();
  return (i * -(std::log(10000.0) / (half - 1))).exp_();
}

}  // namespace

at::Tensor timestep_sinusoids(const at::Tensor& timesteps, int width, UNetStyle style) {
  const at::Tensor f = frequencies(width / 2, style, timesteps.options().dtype(at::kFloat));
  const at::Tensor phases = timesteps.to(at::kFloat).unsqueeze(1).mul(f.unsqueeze(0));
  return style == UNetStyle::ldm ? at::cat({phases.cos(), phases.sin()}, 1) : at::cat({phases.sin(), phases.cos()}, 1);
}

TimestepEmbedding::TimestepEmbedding(const Weights& first, const Weights& second, int width, int embedding_width,
                                     UNetStyle style)
    : first_(first, width, embedding_width),
      second_(second, embedding_width, embedding_width),
      dtype_(first.placement().dtype),
      width_(width),
      style_(style) {}

at::Tensor TimestepEmbedding::operator()(const at::Tensor& timesteps) const {
  at::Tensor h = first_(timestep_sinusoids(timesteps, width_, style_).to(dtype_));
  return second_(at::silu_(h));
}

}  // namespace refrain::diffusion
