#include <refrain/diffusion/policies.hpp>

#include "step_list.hpp"

namespace refrain::diffusion {

ListedCache::ListedCache(std::vector<int> steps, int depth)
    : steps_(checked_steps(std::move(steps), "a listed cache")), depth_(depth) {
  check_depth(depth);
}

std::string ListedCache::describe() const {
  return "listed, full at " + shown_steps(steps_) + ", depth " + std::to_string(depth_);
}

std::unique_ptr<CacheSession> ListedCache::begin(const Run& run) const {
  check_depth(*this, depth_, run);
  return make_step_list_session(marked_steps(steps_, run.steps()), depth_);
}

}  // namespace refrain::diffusion
