#pragma once
// The schedulers: which sigmas a run of n steps visits. One a file; schedulers.cpp lists them.

#include <refrain/diffusion/noise_schedule.hpp>

namespace refrain::diffusion {

/// Sigmas [steps + 1] float32, descending from the schedule's largest, the last 0. steps >= 1.
using Scheduler = at::Tensor (*)(const NoiseSchedule& schedule, int steps);

at::Tensor beta_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor ddim_uniform_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor exponential_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor karras_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor kl_optimal_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor linear_quadratic_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor normal_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor sgm_uniform_sigmas(const NoiseSchedule& schedule, int steps);
at::Tensor simple_sigmas(const NoiseSchedule& schedule, int steps);

/// Appends the final 0.
at::Tensor with_final_zero(const at::Tensor& sigmas);
/// The same for numbers; they become float32.
at::Tensor with_final_zero(const std::vector<double>& sigmas);

}  // namespace refrain::diffusion
