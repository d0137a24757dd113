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
    Entry{"karras", karras_sigmas},
    Entry{"normal", normal_sigmas},
};

constexpr int kMostSteps = 10'000'000;

}  // namespace

at::Tensor with_final_zero(const at::Tensor& sigmas) { return at::cat({sigmas, at::zeros({1}, sigmas.options())}); }

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
