#include "step_list.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <utility>

namespace refrain::diffusion {

namespace {

class StepListSession final : public CacheSession {
 public:
  StepListSession(std::vector<bool> full, int depth) : full_(std::move(full)), depth_(depth) {}

  Needs needs() const override {
    Needs needs;
    needs.declared_schedule = true;
    const bool reuses = std::ranges::find(full_, false) != full_.end();
    if (reuses) needs.depths = {depth_};
    return needs;
  }

  Decision decide(const Moment& moment) override {
    const auto step = static_cast<std::size_t>(moment.step);
    return step >= full_.size() || full_[step] ? Decision::full() : Decision::deep(depth_);
  }

 private:
  std::vector<bool> full_;
  int depth_;
};

}  // namespace

void check_depth(const CachePolicy& policy, int depth, const Run& run) {
  if (depth >= 0 && depth < run.skips) return;
  throw ModelError("cache_depth", "the cache policy \"" + policy.describe() + "\" asks for depth " +
                                      std::to_string(depth) + "; this model's U-Net has depths 0 to " +
                                      std::to_string(run.skips - 1));
}

std::unique_ptr<CacheSession> make_step_list_session(std::vector<bool> full, int depth) {
  return std::make_unique<StepListSession>(std::move(full), depth);
}

}  // namespace refrain::diffusion
