// The list of schedulers, by ComfyUI's names and in its order.

#include "schedulers.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <refrain/diffusion/error.hpp>

#include <array>

namespace refrain::diffusion {

namespace {

struct Entry {
  const char* name;
  Scheduler sigmas;
};

constexpr std::array kSchedulers{
    Entry{"simple", simple_sigmas},
    Entry{"sgm_uniform", sgm_uniform_sigmas},
    Entry{"karras", karras_sigmas},
    Entry{"exponential", exponential_sigmas},
    Entry{"ddim_uniform", ddim_uniform_sigmas},
    Entry{"beta", beta_sigmas},
    Entry{"normal", normal_sigmas},
    Entry{"linear_quadratic", linear_quadratic_sigmas},
    Entry{"kl_optimal", kl_optimal_sigmas},
};

constexpr int kMostSteps = 10'000'000;

}  // namespace

at::Tensor with_final_zero(const at::Tensor& sigmas) { return at::cat({sigmas, at::zeros({1}, sigmas.options())}); }

at::Tensor with_final_zero(const std::vector<double>& sigmas) {
  at::Tensor result = at::zeros({static_cast<std::int64_t>(sigmas.size()) + 1}, at::kFloat);
  float* to = result.data_ptr<float>();
  for (const double sigma : sigmas) *to++ = static_cast<float>(sigma);
  return result;
}

const std::vector<std::string>& scheduler_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Entry& entry : kSchedulers) list.emplace_back(entry.name);
    return list;
  }();
  return names;
}

at::Tensor make_sigmas(const NoiseSchedule& schedule, const std::string& scheduler, int steps) {
  if (steps < 1 || steps > kMostSteps) {
    throw Error("bad_steps", "a run can't have " + std::to_string(steps) + " steps; give a number from 1 to " +
                                 std::to_string(kMostSteps));
  }
  std::string known;
  for (const Entry& entry : kSchedulers) {
    if (scheduler == entry.name) return entry.sigmas(schedule, steps);
    known.append(known.empty() ? "" : ", ").append(entry.name);
  }
  throw Error("unknown_scheduler", "there is no scheduler \"" + scheduler + "\"; there are: " + known);
}

}  // namespace refrain::diffusion
