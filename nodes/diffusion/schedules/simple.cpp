// "simple": entries of the training table at even distances, from its end. Follows comfy/samplers.py
// (simple_scheduler).

#include <ATen/ops/empty.h>

#include "schedulers.hpp"

namespace refrain::diffusion {

at::Tensor simple_sigmas(const NoiseSchedule& schedule, int steps) {
  const int count = schedule.steps();
  const double distance = static_cast<double>(count) / steps;
  const float* table = schedule.sigmas().const_data_ptr<float>();
  at::Tensor sigmas = at::empty({steps}, at::kFloat);
  float* sigma = sigmas.data_ptr<float>();
  for (int i = 0; i < steps; ++i) sigma[i] = table[count - 1 - static_cast<int>(i * distance)];
  return with_final_zero(sigmas);
}

}  // namespace refrain::diffusion
