// Less is Enough: Training-Free Video Diffusion Acceleration via Runtime-Adaptive Caching. arXiv:2507.02860.
// k = |y - y'| / |x - x'| between the last two computed steps; E += k |x_t - x_{t+1}| / |y'|; reuse while E < tau.

#include <refrain/diffusion/adaptive_policies.hpp>
#include <refrain/diffusion/error.hpp>

#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

class PublishedSession final : public CacheSession {
 public:
  PublishedSession(double threshold, int warm_up, Estimate::Target reuse, int steps)
      : threshold_(static_cast<float>(threshold)), warm_up_(warm_up), reuse_(reuse), steps_(steps) {}

  Needs needs() const override {
    constexpr auto kHalf = Measure::Part::conditional;
    Needs needs;
    needs.targets = {reuse_};
    needs.measures = {{Measure::Space::network, kHalf, kHalf, Measure::Since::previous, 1},
                      {Measure::Space::network, kHalf, kHalf, Measure::Since::computed, 1}};
    return needs;
  }

  Decision decide(const Moment& moment) override {
    stage_ = static_cast<std::size_t>(moment.stage);
    if (stages_.size() <= stage_) stages_.resize(stage_ + 1);
    State& state = stages_[stage_];
    if (moment.step < warm_up_ || moment.step + 1 >= steps_) {
      state.accumulated = 0;
      return Decision::full(moment.step < warm_up_ ? "warming up" : "the last step");
    }
    const std::optional<double> change = moment.input_change(0);
    if (!change || !state.rate) return Decision::full("the rate of change is not known yet");
    state.accumulated += *state.rate * (static_cast<float>(*change) / state.norm);
    const std::string sum = "accumulated change " + shown_number(state.accumulated);
    if (state.accumulated < threshold_) return Decision::nothing(reuse_).because(sum);
    state.accumulated = 0;
    return Decision::full(sum + " is over the threshold");
  }

  void observe(const Outcome& outcome) override {
    if (outcome.decision.evaluate.kind == Evaluate::Kind::nothing) return;
    State& state = stages_[stage_];
    const OutputMeasure output = outcome.output(1);
    if (output.change && output.input) {
      state.rate = static_cast<float>(*output.change) / static_cast<float>(*output.input);
    }
    state.norm = static_cast<float>(output.norm);
  }

 private:
  struct State {
    std::optional<float> rate;
    float norm = 0;
    float accumulated = 0;
  };

  float threshold_;
  int warm_up_;
  Estimate::Target reuse_;
  int steps_;
  std::size_t stage_ = 0;
  std::vector<State> stages_;
};

}  // namespace

PublishedEasyCache::PublishedEasyCache(double threshold, int warm_up, Estimate::Target reuse)
    : threshold_(threshold), warm_up_(warm_up), reuse_(reuse) {
  if (!(threshold >= 0)) throw Error("cache_threshold", "the threshold is 0 or more, not " + shown_number(threshold));
  if (warm_up < 0) throw Error("cache_warm_up", "the warm-up is 0 steps or more, not " + std::to_string(warm_up));
  if (reuse == Estimate::Target::feature) {
    throw Error("cache_reuse", "EasyCache reuses whole results: a residual, a prediction or a denoised latent");
  }
}

std::string PublishedEasyCache::describe() const {
  return "published easycache, threshold " + shown_number(threshold_) + ", warm-up " + std::to_string(warm_up_) +
         ", reuses the " + to_string(reuse_);
}

std::unique_ptr<CacheSession> PublishedEasyCache::begin(const Run& run) const {
  return std::make_unique<PublishedSession>(threshold_, warm_up_, reuse_, run.steps());
}

}  // namespace refrain::diffusion
