// Which training steps a run goes through, by the rules of the originals.

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/reference_sampling.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace refrain::diffusion {

namespace {

/// Point i of numpy's linspace(0, last, count): its end is exact.
double point(double last, int count, int i) {
  if (count > 1 && i == count - 1) return last;
  return count > 1 ? i * (last / (count - 1)) : 0.0;
}

/// range(0, training_steps, training_steps // steps), ascending.
std::vector<int> uniform(int steps, int training_steps) {
  std::vector<int> list;
  for (int t = 0; t < training_steps; t += training_steps / steps) list.push_back(t);
  return list;
}

/// Squares of evenly spaced numbers up to 0.8 T, cut to whole ones: dense where there is little noise.
std::vector<int> quadratic(int steps, int training_steps) {
  std::vector<int> list;
  const double last = std::sqrt(training_steps * 0.8);
  for (int i = 0; i < steps; ++i) {
    const double root = point(last, steps, i);
    list.push_back(static_cast<int>(root * root));
  }
  return list;
}

std::vector<int> plus(std::vector<int> list, int offset) {
  for (int& t : list) t += offset;
  return list;
}

std::vector<int> leading(int steps, int training_steps, int offset) {
  std::vector<int> list;
  for (int i = 0; i < steps; ++i) list.push_back(i * (training_steps / steps) + offset);
  return list;
}

/// round(T - i T / S) - 1, to the even number where it is in the middle; ascending.
std::vector<int> trailing(int steps, int training_steps) {
  const double ratio = static_cast<double>(training_steps) / steps;
  const int count = static_cast<int>(std::ceil(training_steps / ratio));
  std::vector<int> list;
  for (int i = 0; i < count; ++i) list.push_back(static_cast<int>(std::nearbyint(training_steps - i * ratio)) - 1);
  std::ranges::reverse(list);
  return list;
}

std::vector<int> linspace(int steps, int training_steps) {
  std::vector<int> list;
  for (int i = 0; i < steps; ++i) list.push_back(static_cast<int>(std::nearbyint(point(training_steps - 1, steps, i))));
  return list;
}

struct Rule {
  const char* name;
  std::vector<int> (*choose)(int steps, int training_steps, int offset);  // ascending
  FinalAlpha usual_final_alpha;
};

constexpr std::array kRules{
    // One more than the step that alphas are looked up for when a run of all steps is numbered from 0.
    Rule{"ldm uniform", [](int s, int t, int) { return plus(uniform(s, t), 1); }, FinalAlpha::first},
    Rule{"ldm quad", [](int s, int t, int) { return plus(quadratic(s, t), 1); }, FinalAlpha::first},
    Rule{"ermongroup uniform", [](int s, int t, int) { return uniform(s, t); }, FinalAlpha::one},
    Rule{"ermongroup quad", [](int s, int t, int) { return quadratic(s, t); }, FinalAlpha::one},
    Rule{"diffusers leading", leading, FinalAlpha::first},
    Rule{"diffusers trailing", [](int s, int t, int) { return trailing(s, t); }, FinalAlpha::first},
    Rule{"diffusers linspace", [](int s, int t, int) { return linspace(s, t); }, FinalAlpha::first},
};

const Rule& find_rule(const std::string& name) {
  std::string known;
  for (const Rule& rule : kRules) {
    if (name == rule.name) return rule;
    known.append(known.empty() ? "" : ", ").append(rule.name);
  }
  throw Error("bad_timesteps", "no rule for time steps is called \"" + name + "\"; there are: " + known);
}

}  // namespace

const std::vector<std::string>& timestep_rules() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Rule& rule : kRules) list.emplace_back(rule.name);
    return list;
  }();
  return names;
}

FinalAlpha usual_final_alpha(const std::string& rule) { return find_rule(rule).usual_final_alpha; }

std::vector<int> reference_timesteps(const std::string& name, int steps, int training_steps, int offset) {
  const Rule& rule = find_rule(name);
  if (steps < 1 || steps > training_steps) {
    throw Error("bad_timesteps", std::to_string(steps) + " steps: the model was trained on " +
                                     std::to_string(training_steps) + "; choose 1 to that many");
  }
  std::vector<int> list = rule.choose(steps, training_steps, offset);
  std::ranges::reverse(list);
  for (const int t : list) {
    if (t >= 0 && t < training_steps) continue;
    throw Error("bad_timesteps", "\"" + name + "\" with " + std::to_string(steps) + " steps asks for training step " +
                                     std::to_string(t) + ", and the model's are 0 to " +
                                     std::to_string(training_steps - 1) + "; choose another number of steps");
  }
  return list;
}

at::Tensor reference_sigmas(const NoiseSchedule& schedule, const std::vector<int>& timesteps, FinalAlpha final) {
  std::vector<std::int64_t> indices(timesteps.begin(), timesteps.end());
  const at::Tensor sigmas = schedule.sigmas().index_select(0, at::tensor(indices, at::kLong));
  const at::Tensor end = final == FinalAlpha::one ? at::zeros({1}) : schedule.sigmas().narrow(0, 0, 1);
  return at::cat({sigmas, end});
}

}  // namespace refrain::diffusion
