#include <refrain/diffusion/adaptive_policies.hpp>
#include <refrain/diffusion/error.hpp>

#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

constexpr double kTrainingSteps = 1000;  // as the node counts, whatever the model

class WindowedSession final : public CacheSession {
 public:
  WindowedSession(int interval, int depth, int start_step, int end_step)
      : interval_(interval), depth_(depth), lowest_(kTrainingSteps - end_step), highest_(kTrainingSteps - start_step) {}

  Needs needs() const override {
    Needs needs;
    if (interval_ > 1) needs.depths = {depth_};
    needs.stages = Stages::shared;  // it counts evaluations and knows of no stages
    needs.declared_schedule = true;
    return needs;
  }

  Decision decide(const Moment& moment) override {
    if (moment.timestep > last_timestep_) count_ = -1;
    last_timestep_ = moment.timestep;
    const bool inside = lowest_ <= moment.timestep && moment.timestep <= highest_;
    count_ = inside ? count_ + 1 : -1;
    if (!inside) return Decision::full("outside of the window");
    return count_ % interval_ == 0 ? Decision::full("a step of the schedule") : Decision::deep(depth_);
  }

 private:
  int interval_;
  int depth_;
  double lowest_, highest_;
  double last_timestep_ = -1;
  int count_ = -1;
};

}  // namespace

WindowedDeepCache::WindowedDeepCache(int interval, int depth, int start_step, int end_step)
    : interval_(interval), depth_(depth), start_step_(start_step), end_step_(end_step) {
  check_interval(interval, "DeepCache");
  check_depth(depth);
}

std::string WindowedDeepCache::describe() const {
  return "deepcache, interval " + std::to_string(interval_) + ", depth " + std::to_string(depth_) + ", steps " +
         std::to_string(start_step_) + " to " + std::to_string(end_step_) + " of 1000";
}

std::unique_ptr<CacheSession> WindowedDeepCache::begin(const Run& run) const {
  if (interval_ > 1) check_depth(*this, depth_, run);
  return std::make_unique<WindowedSession>(interval_, depth_, start_step_, end_step_);
}

}  // namespace refrain::diffusion
