// EasyCache and LazyCache by ComfyUI 0.3.64's rules (facts: comfy_extras/nodes_easycache.py). Its arithmetic on single
// numbers is float32, and so is ours, so that sums meet the threshold at the same evaluation.

#include <refrain/diffusion/adaptive_policies.hpp>
#include <refrain/diffusion/error.hpp>

#include <limits>

#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

constexpr int kStride = 8;  // of rows and columns that the changes are measured on

/// What differs between the two: where they measure and what they reuse; and that LazyCache also measures before its
/// window begins.
struct Kind {
  const char* name;
  Measure::Space space;
  Measure::Part part;
  Estimate::Target target;
  bool measures_before_start;
};

constexpr Kind kEasy{"easycache", Measure::Space::network, Measure::Part::first, Estimate::Target::mixed_residual,
                     false};
constexpr Kind kLazy{"lazycache", Measure::Space::solver, Measure::Part::batch, Estimate::Target::change, true};

class StepCacheSession final : public CacheSession {
 public:
  StepCacheSession(const Kind& kind, const StepCacheWindow& window, const Run& run)
      : kind_(kind),
        threshold_(static_cast<float>(window.threshold)),
        start_(run.sigma_at(window.start_percent)),
        end_(run.sigma_at(window.end_percent)) {}

  Needs needs() const override {
    Needs needs;
    needs.targets = {kind_.target};
    needs.measures = {{kind_.space, kind_.part, Measure::Part::batch, Measure::Since::computed, kStride}};
    needs.stages = Stages::shared;
    // There is no cap there, and the pictures must be those of ComfyUI.
    needs.most_reuses = std::numeric_limits<int>::max();
    return needs;
  }

  Decision decide(const Moment& moment) override {
    change_.reset();
    past_end_ = moment.sigma <= end_;
    if (past_end_) return Decision::full("past the end of the window");
    before_start_ = moment.sigma > start_;
    if (before_start_) return Decision::full("before the start of the window");
    if (!compared_) return Decision::full("nothing to compare with");
    change_ = moment.input_change();
    if (!change_) return Decision::full("nothing to compare with");
    if (!rate_) return Decision::full("the rate of change is not known yet");
    accumulated_ += *rate_ * static_cast<float>(*change_) / norm_;
    const std::string sum = "accumulated change " + shown_number(accumulated_);
    if (accumulated_ < threshold_) return Decision::nothing(kind_.target).because(sum);
    accumulated_ = 0;
    return Decision::full(sum + " is over the threshold");
  }

  void observe(const Outcome& outcome) override {
    const bool looked = !past_end_ && (!before_start_ || kind_.measures_before_start || compared_);
    if (!looked || outcome.decision.evaluate.kind == Evaluate::Kind::nothing) return;
    const OutputMeasure output = outcome.output();
    if (compared_ && change_ && output.change) {
      rate_ = static_cast<float>(*output.change) / static_cast<float>(*change_);
    }
    norm_ = static_cast<float>(output.norm);
    compared_ = true;
  }

 private:
  Kind kind_;
  float threshold_;
  double start_, end_;
  bool past_end_ = false, before_start_ = false;
  bool compared_ = false;         // an evaluation is there to compare with
  std::optional<double> change_;  // of this evaluation's input
  std::optional<float> rate_;     // change of the output for that of the input
  float norm_ = 0;
  float accumulated_ = 0;
};

void check(const StepCacheWindow& window, const char* name) {
  if (window.threshold >= 0) return;
  throw Error("cache_threshold",
              std::string(name) + ": the threshold is 0 or more, not " + shown_number(window.threshold));
}

std::string described(const Kind& kind, const StepCacheWindow& window) {
  return std::string(kind.name) + ", threshold " + shown_number(window.threshold) + ", from " +
         shown_number(window.start_percent) + " to " + shown_number(window.end_percent);
}

}  // namespace

EasyCache::EasyCache(const StepCacheWindow& window) : window_(window) { check(window, "EasyCache"); }
std::string EasyCache::describe() const { return described(kEasy, window_); }
std::unique_ptr<CacheSession> EasyCache::begin(const Run& run) const {
  return std::make_unique<StepCacheSession>(kEasy, window_, run);
}

LazyCache::LazyCache(const StepCacheWindow& window) : window_(window) { check(window, "LazyCache"); }
std::string LazyCache::describe() const { return described(kLazy, window_); }
std::unique_ptr<CacheSession> LazyCache::begin(const Run& run) const {
  return std::make_unique<StepCacheSession>(kLazy, window_, run);
}

}  // namespace refrain::diffusion
