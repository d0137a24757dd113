// The sigmas of a KSampler run. Follows comfy/samplers.py (KSampler.set_steps, calculate_sigmas).

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <refrain/diffusion/error.hpp>

#include <cmath>

#include "samplers.hpp"

namespace refrain::diffusion {

namespace {

at::Tensor sigmas_of(const NoiseSchedule& schedule, const SamplerEntry& sampler, const std::string& scheduler,
                     int steps) {
  if (!sampler.drops_penultimate) return make_sigmas(schedule, scheduler, steps);
  const at::Tensor sigmas = make_sigmas(schedule, scheduler, steps + 1);
  const std::int64_t count = sigmas.size(0);
  return at::cat({sigmas.narrow(0, 0, count - 2), sigmas.narrow(0, count - 1, 1)});
}

}  // namespace

at::Tensor ksampler_sigmas(const NoiseSchedule& schedule, const std::string& sampler, const std::string& scheduler,
                           int steps, double denoise) {
  constexpr double kWhole = 0.9999;  // from here on a run is not shortened
  constexpr double kMostSteps = 10'000'000;
  const SamplerEntry& entry = find_sampler_entry(sampler);
  if (denoise > kWhole) return sigmas_of(schedule, entry, scheduler, steps);
  if (!(denoise > 0)) return at::empty({0}, at::kFloat);
  const double all_steps = std::trunc(steps / denoise);
  if (all_steps > kMostSteps) {
    throw Error("bad_denoise", "a denoise of " + std::to_string(denoise) + " with " + std::to_string(steps) +
                                   " steps asks for too many sigmas; raise denoise");
  }
  const at::Tensor sigmas = sigmas_of(schedule, entry, scheduler, static_cast<int>(all_steps));
  const std::int64_t count = std::min<std::int64_t>(steps + 1, sigmas.size(0));
  return sigmas.narrow(0, sigmas.size(0) - count, count);
}

}  // namespace refrain::diffusion
