#include <c10/core/impl/VirtualGuardImpl.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

#include "feature_memory.hpp"
#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

using Kind = Evaluate::Kind;

constexpr int kMostReuses = 20;  // in a row, of policies that didn't declare a schedule
constexpr int kNever = -1;

Error refused(const CachePolicy& policy, const std::string& why) {
  return {"cache_decision", "the cache policy \"" + policy.describe() + "\" " + why};
}

/// Waits for the device, so that a time taken means what it says.
void finish_work_on(const at::Device& device) {
  if (!device.is_cpu()) c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

class Stopwatch {
 public:
  double milliseconds() const {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

struct CachedDenoiser::Memory {
  /// Of one input: batched or separate, each has its own.
  struct Branch {
    std::vector<History> features;  // one for each declared depth
    History predictions;
  };

  std::vector<InputShape> shapes;
  std::vector<Branch> branches;
  std::vector<int> computed_at;  // evaluation that last computed each declared depth

  void start_over(std::vector<InputShape> new_shapes, const Needs& needs) {
    shapes = std::move(new_shapes);
    const std::vector<History> features(needs.depths.size(), History(needs.history));
    branches.assign(shapes.size(), Branch{features, History(needs.history)});
    computed_at.assign(needs.depths.size(), kNever);
  }
};

CachedDenoiser::CachedDenoiser(std::shared_ptr<const Network> network, std::shared_ptr<const CachePolicy> policy,
                               std::vector<double> sigmas)
    : network_(std::move(network)),
      policy_(policy ? std::move(policy) : std::make_shared<NoCache>()),
      memory_(std::make_unique<Memory>()) {
  const Run run{std::move(sigmas), network_->skips()};
  steps_ = run.steps();
  session_ = policy_->begin(run);
  if (!session_) throw refused(*policy_, "began no session");
  needs_ = session_->needs();
  for (const int depth : needs_.depths) check_depth(*policy_, depth, run);
  if (needs_.history < 1) throw refused(*policy_, "asks for a history of " + std::to_string(needs_.history));
  memory_->start_over({}, needs_);
  report_.policy = policy_->describe();
}

CachedDenoiser::~CachedDenoiser() = default;

std::vector<at::Tensor> CachedDenoiser::evaluate(std::span<const UNetInput> inputs, float sigma, Place place) {
  std::vector<InputShape> shapes;
  for (const UNetInput& input : inputs) shapes.push_back(InputShape::of(input));
  if (shapes != memory_->shapes) memory_->start_over(std::move(shapes), needs_);

  const Decision asked = session_->decide(moment(sigma, place));
  check(asked);
  const bool forced = must_be_full(asked);
  Action action{place.step, place.stage, sigma, forced ? Decision::full() : asked, forced};

  const at::Device device = inputs.front().latent.device();
  finish_work_on(device);
  const Stopwatch stopwatch;
  std::vector<at::Tensor> predictions = carry_out(action.decision, inputs);
  finish_work_on(device);
  action.milliseconds = stopwatch.milliseconds();
  record(action, inputs);
  return predictions;
}

Moment CachedDenoiser::moment(float sigma, Place place) const {
  const double progress = steps_ > 0 ? static_cast<double>(place.step) / steps_ : 0;
  Moment moment{place.step, place.stage, evaluation_, sigma, progress, {}};
  for (const int computed : memory_->computed_at) {
    moment.age.push_back(computed == kNever ? kNever : evaluation_ - computed);
  }
  return moment;
}

void CachedDenoiser::check(const Decision& decision) const {
  const auto [kind, depth] = decision.evaluate;
  const Estimate& estimate = decision.estimate;
  if (kind == Kind::encoder_reused) throw refused(*policy_, "reuses the encoder, which is not supported yet");
  if (kind != Kind::full && estimate.weights.size() > static_cast<std::size_t>(needs_.history)) {
    throw refused(*policy_, "weighs " + std::to_string(estimate.weights.size()) + " values but declared a history of " +
                                std::to_string(needs_.history));
  }
  if (kind == Kind::deep) {
    if (std::ranges::find(needs_.depths, depth) == needs_.depths.end()) {
      throw refused(*policy_, "decides for depth " + std::to_string(depth) + ", which it didn't declare");
    }
    if (estimate.target != Estimate::Target::feature) {
      throw refused(*policy_, "decides for a depth but doesn't estimate its feature");
    }
  }
  if (kind == Kind::nothing) {
    if (!needs_.predictions) throw refused(*policy_, "evaluates nothing but didn't declare that it needs predictions");
    // `feature` is what an Estimate says by default; where nothing runs only the prediction can be meant.
    if (estimate.target == Estimate::Target::denoised || estimate.target == Estimate::Target::residual) {
      throw refused(*policy_, "estimates the denoised latent or the residual, which is not supported yet");
    }
  }
}

bool CachedDenoiser::must_be_full(const Decision& decision) const {
  const auto [kind, depth] = decision.evaluate;
  if (kind == Kind::full) return false;
  if (!needs_.declared_schedule && reuses_ >= kMostReuses) return true;
  const std::size_t needed = std::max<std::size_t>(decision.estimate.weights.size(), 1);
  const auto at = static_cast<std::size_t>(std::ranges::find(needs_.depths, depth) - needs_.depths.begin());
  return std::ranges::any_of(memory_->branches, [&](const Memory::Branch& branch) {
    return (kind == Kind::deep ? branch.features[at] : branch.predictions).size() < needed;
  });
}

std::vector<at::Tensor> CachedDenoiser::carry_out(const Decision& decision, std::span<const UNetInput> inputs) {
  const auto [kind, depth] = decision.evaluate;
  std::vector<at::Tensor> predictions;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Memory::Branch& branch = memory_->branches[i];
    if (kind == Kind::nothing) {
      predictions.push_back(branch.predictions.estimate(decision.estimate.weights));
      continue;
    }
    UNetRequest request{decision.evaluate, {}, needs_.depths};
    for (std::size_t j = 0; j < needs_.depths.size(); ++j) {
      const bool computed = kind == Kind::full || needs_.depths[j] < depth;
      if (computed) {
        branch.features[j].make_room();
        memory_->computed_at[j] = evaluation_;
      } else if (needs_.depths[j] == depth) {
        request.feature = branch.features[j].estimate(decision.estimate.weights);
      }
    }
    UNetResult result = network_->evaluate(inputs[i], request);
    for (std::size_t j = 0; j < result.kept.size(); ++j) {
      if (result.kept[j].defined()) branch.features[j].push(std::move(result.kept[j]));
    }
    if (needs_.predictions) branch.predictions.push(result.prediction);
    predictions.push_back(std::move(result.prediction));
  }
  return predictions;
}

void CachedDenoiser::record(const Action& action, std::span<const UNetInput> inputs) {
  Action& done = report_.actions.emplace_back(action);
  for (const UNetInput& input : inputs) {
    done.macs += done.decision.evaluate == Evaluate::nothing() ? 0 : network_->macs(done.decision.evaluate, input);
    report_.macs_uncached += network_->macs(Evaluate::full(), input);
  }
  report_.macs += done.macs;
  reuses_ = done.decision.evaluate == Evaluate::full() ? 0 : reuses_ + 1;
  ++evaluation_;
  session_->observe({done.decision, done.forced, done.milliseconds, done.macs});
}

}  // namespace refrain::diffusion
