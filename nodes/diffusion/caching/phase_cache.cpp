#include <refrain/diffusion/composed_policies.hpp>
#include <refrain/diffusion/error.hpp>

#include <utility>

#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

class PhaseSession final : public CacheSession {
 public:
  PhaseSession(std::unique_ptr<CacheSession> session, double start, double end)
      : session_(std::move(session)), start_(start), end_(end) {}

  Needs needs() const override { return session_->needs(); }

  Decision decide(const Moment& moment) override {
    inside_ = moment.sigma <= start_ && moment.sigma > end_;
    if (!inside_) return Decision::full(moment.sigma > start_ ? "before the phase" : "after the phase");
    return session_->decide(moment);
  }

  void observe(const Outcome& outcome) override {
    if (inside_) session_->observe(outcome);
  }

 private:
  std::unique_ptr<CacheSession> session_;
  double start_, end_;
  bool inside_ = false;
};

}  // namespace

PhaseCache::PhaseCache(std::shared_ptr<const CachePolicy> policy, double start_percent, double end_percent)
    : policy_(std::move(policy)), start_percent_(start_percent), end_percent_(end_percent) {
  if (!policy_) throw Error("cache_policy", "a phase needs a cache policy");
  if (!(start_percent >= 0 && start_percent <= end_percent && end_percent <= 1)) {
    throw Error("cache_phase", "a phase runs from a start to an end within 0 to 1, not from " +
                                   shown_number(start_percent) + " to " + shown_number(end_percent));
  }
}

std::string PhaseCache::describe() const {
  return policy_->describe() + ", in the phase " + shown_number(start_percent_) + " to " + shown_number(end_percent_);
}

std::unique_ptr<CacheSession> PhaseCache::begin(const Run& run) const {
  return std::make_unique<PhaseSession>(policy_->begin(run), run.sigma_at(start_percent_), run.sigma_at(end_percent_));
}

}  // namespace refrain::diffusion
