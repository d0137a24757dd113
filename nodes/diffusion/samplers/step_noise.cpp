#include "step_noise.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <cmath>

namespace refrain::diffusion {

StepNoise::StepNoise(std::uint64_t seed) : generator_(at::detail::createCPUGenerator(seed)) {}

at::Tensor StepNoise::like(const at::Tensor& x) {
  return at::randn(x.sizes(), generator_, at::TensorOptions(at::kFloat)).to(x.device());
}

AncestralStep ancestral_step(float sigma, float next) {
  const float up = std::min(next, std::sqrt(next * next * (sigma * sigma - next * next) / (sigma * sigma)));
  return {std::sqrt(next * next - up * up), up};
}

}  // namespace refrain::diffusion
