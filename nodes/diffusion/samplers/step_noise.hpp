#pragma once
// The noise that stochastic samplers add at their steps.

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace refrain::diffusion {

/// Independent draws. A generator of its own with the run's seed: its first draw repeats the initial noise, as in
/// ComfyUI. On the CPU wherever x is, so that a seed means the same picture on every device.
class StepNoise {
 public:
  explicit StepNoise(std::uint64_t seed);

  /// The next draw, float32 in the shape of `x` and where `x` is.
  at::Tensor like(const at::Tensor& x);

 private:
  at::Generator generator_;
};

/// Where an ancestral step goes: down to `down`, then up by noise of `up`, so that down^2 + up^2 = next^2.
struct AncestralStep {
  float down = 0;
  float up = 0;
};

/// With eta = 1: ancestral sampling of the variance exploding process.
/// Score-Based Generative Modeling through Stochastic Differential Equations. Song et al. ICLR 2021, arXiv:2011.13456,
/// eq. 47.
AncestralStep ancestral_step(float sigma, float next);

}  // namespace refrain::diffusion
