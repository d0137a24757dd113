#include "step_list.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

namespace refrain::diffusion {

namespace {

class StepListSession final : public CacheSession {
 public:
  StepListSession(std::vector<bool> full, Decision otherwise, Needs needs)
      : full_(std::move(full)), otherwise_(std::move(otherwise)) {
    const bool reuses = std::ranges::find(full_, false) != full_.end();
    if (reuses) needs_ = std::move(needs);
    needs_.declared_schedule = true;
  }

  Needs needs() const override { return needs_; }

  Decision decide(const Moment& moment) override {
    const auto step = static_cast<std::size_t>(moment.step);
    return step >= full_.size() || full_[step] ? Decision::full("a step of the schedule") : otherwise_;
  }

 private:
  std::vector<bool> full_;
  Decision otherwise_;
  Needs needs_;
};

}  // namespace

void check_depth(const CachePolicy& policy, int depth, const Run& run) {
  if (depth >= 0 && depth < run.skips) return;
  throw ModelError("cache_depth", "the cache policy \"" + policy.describe() + "\" asks for depth " +
                                      std::to_string(depth) + "; this model's U-Net has depths 0 to " +
                                      std::to_string(run.skips - 1));
}

void check_depth(int depth) {
  if (depth < 0) throw Error("cache_depth", "the depth of a cache is 0 or more, not " + std::to_string(depth));
}

void check_interval(int interval, const char* whose) {
  if (interval >= 1) return;
  throw Error("cache_interval",
              std::string("the interval of ") + whose + " is 1 or more, not " + std::to_string(interval));
}

std::vector<int> checked_steps(std::vector<int> steps, const char* whose) {
  std::ranges::sort(steps);
  const auto repeated = std::ranges::unique(steps);
  steps.erase(repeated.begin(), repeated.end());
  if (!steps.empty() && steps.front() < 0) {
    throw Error("cache_steps",
                std::string("the steps of ") + whose + " count from 0; " + std::to_string(steps.front()) + " is none");
  }
  return steps;
}

std::vector<bool> marked_steps(const std::vector<int>& steps, int run_steps) {
  std::vector<bool> marked(static_cast<std::size_t>(run_steps));
  if (!marked.empty()) marked.front() = true;
  for (const int step : steps) {
    if (step >= 0 && step < run_steps) marked[static_cast<std::size_t>(step)] = true;
  }
  return marked;
}

std::string shown_steps(const std::vector<int>& steps) {
  constexpr std::size_t kMostShown = 32;
  if (steps.empty()) return "the first step";
  std::string shown;
  for (std::size_t i = 0; i < std::min(steps.size(), kMostShown); ++i) {
    shown.append(i == 0 ? "" : " ").append(std::to_string(steps[i]));
  }
  if (steps.size() > kMostShown) {
    shown.append(" and ").append(std::to_string(steps.size() - kMostShown)).append(" more");
  }
  return shown;
}

std::string shown_number(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", number);
  return text.data();
}

std::unique_ptr<CacheSession> make_step_list_session(std::vector<bool> full, Decision otherwise, Needs needs) {
  return std::make_unique<StepListSession>(std::move(full), std::move(otherwise), std::move(needs));
}

std::unique_ptr<CacheSession> make_step_list_session(std::vector<bool> full, int depth) {
  Needs needs;
  needs.depths = {depth};
  needs.stages = Stages::shared;
  return make_step_list_session(std::move(full), Decision::deep(depth), std::move(needs));
}

}  // namespace refrain::diffusion
