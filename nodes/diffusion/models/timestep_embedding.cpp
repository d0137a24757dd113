#include "models/timestep_embedding.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/silu.h>

#include <cmath>

namespace refrain::diffusion {

at::Tensor timestep_sinusoids(const at::Tensor& timesteps, int width) {
  const int half = width / 2;
  const auto options = timesteps.options().dtype(at::kFloat);
  // The order of operations is the reference's: one unit in the last place of f is 6e-5 of a phase at t = 999.
  const at::Tensor frequencies = at::arange(half, options).mul_(-std::log(10000.0)).div_(half).exp_();
  const at::Tensor phases = timesteps.to(at::kFloat).unsqueeze(1).mul(frequencies.unsqueeze(0));
  return at::cat({phases.cos(), phases.sin()}, 1);
}

TimestepEmbedding::TimestepEmbedding(const Weights& weights, int width, int embedding_width)
    : first_(weights / 0, width, embedding_width),
      second_(weights / 2, embedding_width, embedding_width),
      dtype_(weights.placement().dtype),
      width_(width) {}

at::Tensor TimestepEmbedding::operator()(const at::Tensor& timesteps) const {
  at::Tensor h = first_(timestep_sinusoids(timesteps, width_).to(dtype_));
  return second_(at::silu_(h));
}

}  // namespace refrain::diffusion
