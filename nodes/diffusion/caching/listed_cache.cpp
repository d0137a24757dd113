#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>

#include <algorithm>

#include "step_list.hpp"

namespace refrain::diffusion {

ListedCache::ListedCache(std::vector<int> steps, int depth) : steps_(std::move(steps)), depth_(depth) {
  std::ranges::sort(steps_);
  const auto repeated = std::ranges::unique(steps_);
  steps_.erase(repeated.begin(), repeated.end());
  if (!steps_.empty() && steps_.front() < 0) {
    throw Error("cache_steps",
                "the steps of a listed cache count from 0; " + std::to_string(steps_.front()) + " is none");
  }
  if (depth < 0) throw Error("cache_depth", "the depth of a cache is 0 or more, not " + std::to_string(depth));
}

std::string ListedCache::describe() const {
  constexpr std::size_t kMostShown = 32;
  std::string shown;
  for (std::size_t i = 0; i < std::min(steps_.size(), kMostShown); ++i) {
    shown.append(i == 0 ? "" : " ").append(std::to_string(steps_[i]));
  }
  if (steps_.size() > kMostShown)
    shown.append(" and ").append(std::to_string(steps_.size() - kMostShown)).append(" more");
  if (steps_.empty()) shown = "the first step";
  return "listed, full at " + shown + ", depth " + std::to_string(depth_);
}

std::unique_ptr<CacheSession> ListedCache::begin(const Run& run) const {
  check_depth(*this, depth_, run);
  std::vector<bool> full(static_cast<std::size_t>(run.steps()));
  if (!full.empty()) full.front() = true;
  for (const int step : steps_) {
    if (step < run.steps()) full[static_cast<std::size_t>(step)] = true;
  }
  return make_step_list_session(std::move(full), depth_);
}

}  // namespace refrain::diffusion
