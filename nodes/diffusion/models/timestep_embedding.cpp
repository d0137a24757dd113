#include "models/timestep_embedding.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>

#include <cmath>

namespace refrain::diffusion {

namespace {

// The order of operations is each reference's: one unit in the last place of f is 6e-5 of a phase at t = 999.
at::Tensor table(int half, UNetStyle style, Frequencies frequencies, const at::TensorOptions& options) {
  const at::Tensor i = at::arange(half, options);
  const int last = style == UNetStyle::ldm ? half : half - 1;
  const bool ermongroup = style == UNetStyle::ddpm && frequencies == Frequencies::original;
  return (ermongroup ? i * -(std::log(10000.0) / last) : (i * -std::log(10000.0)).div_(last)).exp_();
}

}  // namespace

at::Tensor timestep_sinusoids(const at::Tensor& timesteps, int width, UNetStyle style, Frequencies frequencies) {
  const at::Tensor f = table(width / 2, style, frequencies, timesteps.options().dtype(at::kFloat));
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

at::Tensor TimestepEmbedding::operator()(const at::Tensor& timesteps, Frequencies frequencies) const {
  at::Tensor h = first_(timestep_sinusoids(timesteps, width_, style_, frequencies).to(dtype_));
  return second_(at::silu_(h));
}

}  // namespace refrain::diffusion
