#include <refrain/diffusion/policies.hpp>

#include "step_list.hpp"

namespace refrain::diffusion {

UniformCache::UniformCache(int interval, int depth) : interval_(interval), depth_(depth) {
  check_interval(interval, "a uniform cache");
  check_depth(depth);
}

std::string UniformCache::describe() const {
  return "uniform, interval " + std::to_string(interval_) + ", depth " + std::to_string(depth_);
}

std::unique_ptr<CacheSession> UniformCache::begin(const Run& run) const {
  check_depth(*this, depth_, run);
  std::vector<bool> full(static_cast<std::size_t>(run.steps()));
  for (std::size_t step = 0; step < full.size(); ++step) full[step] = step % static_cast<std::size_t>(interval_) == 0;
  return make_step_list_session(std::move(full), depth_);
}

}  // namespace refrain::diffusion
