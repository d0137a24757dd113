#include <refrain/diffusion/composed_policies.hpp>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <utility>

namespace refrain::diffusion {

namespace {

/// One of the two sessions, with the way from what it declared to what both did.
class Link {
 public:
  Link(std::unique_ptr<CacheSession> session, Needs& both) : session_(std::move(session)), needs_(session_->needs()) {
    first_measure_ = both.measures.size();
    for (const int depth : needs_.depths) {
      depths_.push_back(place_of(depth, both.depths));
    }
    for (const Estimate::Target target : needs_.targets) place_of(target, both.targets);
    both.measures.insert(both.measures.end(), needs_.measures.begin(), needs_.measures.end());
    both.encoder = both.encoder || needs_.encoder;
    both.history = std::max(both.history, needs_.history);
    if (needs_.stages == Stages::own) both.stages = Stages::own;
    if (!needs_.declared_schedule) {
      both.most_reuses = both.declared_schedule ? needs_.most_reuses : std::min(both.most_reuses, needs_.most_reuses);
      both.declared_schedule = false;
    }
  }

  Decision decide(const Moment& moment) {
    Moment own = moment;
    own.age.clear();
    own.features.clear();
    for (const std::size_t depth : depths_) {
      own.age.push_back(moment.age.at(depth));
      own.features.push_back(shortened(moment.features.at(depth)));
    }
    own.outputs = shortened(moment.outputs);
    own.measure_input = [&](std::size_t measure) { return moment.input_change(first_measure_ + measure); };
    return session_->decide(own);
  }

  void observe(const Outcome& outcome) {
    Outcome own = outcome;
    own.measure_output = [&](std::size_t measure) { return outcome.output(first_measure_ + measure); };
    session_->observe(own);
  }

 private:
  template <class T>
  static std::size_t place_of(const T& value, std::vector<T>& list) {
    const auto at = static_cast<std::size_t>(std::ranges::find(list, value) - list.begin());
    if (at == list.size()) list.push_back(value);
    return at;
  }

  std::vector<Point> shortened(std::vector<Point> points) const {
    points.resize(std::min(points.size(), static_cast<std::size_t>(needs_.history)));
    return points;
  }

  std::unique_ptr<CacheSession> session_;
  Needs needs_;
  std::vector<std::size_t> depths_;
  std::size_t first_measure_ = 0;
};

Needs nothing_yet() {
  Needs needs;
  needs.stages = Stages::shared;
  needs.declared_schedule = true;
  return needs;
}

class ChainSession final : public CacheSession {
 public:
  ChainSession(std::unique_ptr<CacheSession> first, std::unique_ptr<CacheSession> second)
      : first_(std::move(first), needs_), second_(std::move(second), needs_) {}

  Needs needs() const override { return needs_; }

  Decision decide(const Moment& moment) override {
    Decision decision = first_.decide(moment);
    second_decided_ = decision.evaluate == Evaluate::full();
    return second_decided_ ? second_.decide(moment) : decision;
  }

  void observe(const Outcome& outcome) override {
    first_.observe(outcome);
    if (second_decided_) second_.observe(outcome);
  }

 private:
  Needs needs_ = nothing_yet();
  Link first_, second_;
  bool second_decided_ = false;
};

}  // namespace

ChainCache::ChainCache(std::shared_ptr<const CachePolicy> first, std::shared_ptr<const CachePolicy> second)
    : first_(std::move(first)), second_(std::move(second)) {
  if (!first_ || !second_) throw Error("cache_policy", "a chain needs two cache policies");
}

std::string ChainCache::describe() const { return first_->describe() + "; then " + second_->describe(); }

std::unique_ptr<CacheSession> ChainCache::begin(const Run& run) const {
  return std::make_unique<ChainSession>(first_->begin(run), second_->begin(run));
}

}  // namespace refrain::diffusion
