#include <c10/core/impl/VirtualGuardImpl.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <utility>

#include "kept_memory.hpp"
#include "meter.hpp"
#include "step_list.hpp"

namespace refrain::diffusion {

namespace {

using Kind = Evaluate::Kind;
using Target = Estimate::Target;

constexpr int kNever = -1;

Error refused(const CachePolicy& policy, const std::string& why) {
  return {"cache_decision", "the cache policy \"" + policy.describe() + "\" " + why};
}

/// Runs a call of the policy's own code. What it throws beside our own errors becomes one that names the policy.
template <class Call>
auto guarded(const CachePolicy& policy, const std::string& where, Call call) {
  try {
    return call();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error("cache_policy_failed",
                "the cache policy \"" + policy.describe() + "\" failed in " + where + ": " + error.what());
  }
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

bool in_solver_space(Target target) { return target == Target::denoised || target == Target::change; }

bool is_residual(Target target) { return target == Target::residual || target == Target::mixed_residual; }

/// The residuals of each condition of a batch of one picture added, one after the other, to the whole batch.
at::Tensor mixed(const at::Tensor& latent, const at::Tensor& residuals) {
  at::Tensor sum = latent;
  for (const at::Tensor& residual : residuals.split(1)) sum = sum + residual;
  return sum;
}

bool needs_solver_space(const Needs& needs) {
  return std::ranges::any_of(needs.targets, in_solver_space) ||
         std::ranges::any_of(needs.measures, [](const Measure& m) { return m.space == Measure::Space::solver; });
}

std::size_t depth_index(const Needs& needs, int depth) {
  return static_cast<std::size_t>(std::ranges::find(needs.depths, depth) - needs.depths.begin());
}

}  // namespace

/// An evaluation whose session has not been told yet.
struct CachedDenoiser::Pending {
  Outcome outcome;
  Answer answer;
  at::Tensor x;
  int stage = 0;
};

CachedDenoiser::CachedDenoiser(std::shared_ptr<const Network> network, std::shared_ptr<const CachePolicy> policy,
                               std::vector<double> sigmas, std::function<double(double)> percent_to_sigma)
    : network_(std::move(network)), policy_(policy ? std::move(policy) : std::make_shared<NoCache>()) {
  const Run run{std::move(sigmas), network_->skips(), std::move(percent_to_sigma)};
  steps_ = run.steps();
  session_ = guarded(*policy_, "begin()", [&] { return policy_->begin(run); });
  if (!session_) throw refused(*policy_, "began no session");
  needs_ = guarded(*policy_, "needs()", [&] { return session_->needs(); });
  for (const int depth : needs_.depths) check_depth(*policy_, depth, run);
  if (needs_.history < 1) throw refused(*policy_, "asks for a history of " + std::to_string(needs_.history));
  if (std::ranges::find(needs_.targets, Target::feature) != needs_.targets.end()) {
    throw refused(*policy_, "declares features as a target; they are declared by their depths");
  }
  for (const Measure& measure : needs_.measures) {
    if (measure.stride < 1) throw refused(*policy_, "measures with a stride of " + std::to_string(measure.stride));
  }
  memory_ = std::make_unique<KeptMemory>(needs_);
  meter_ = std::make_unique<Meter>(needs_);
  report_.policy = policy_->describe();
}

CachedDenoiser::~CachedDenoiser() = default;

std::vector<at::Tensor> CachedDenoiser::evaluate(std::span<const UNetInput> inputs, float sigma, Place place) {
  Question question;
  question.inputs = inputs;
  question.sigma = sigma;
  question.place = place;
  return evaluate(question).predictions;
}

Answer CachedDenoiser::evaluate(const Question& question) {
  tell_session();  // of an evaluation that nobody remembered
  if (!memory_->fit(question, network_->revision())) {
    meter_->forget();
    // A failure and the run's beginning have emptied the memory too: they stay the reason.
    if (emptied_by_ == Guard::none) emptied_by_ = Guard::changed;
  }
  meter_->begin(question);
  const at::Device device = question.inputs.front().latent.device();
  finish_work_on(device);
  const Stopwatch stopwatch;
  Decision asked = ask(moment(question));
  check(asked);
  const Place& place = question.place;
  Action action{place.step, place.stage, question.sigma, asked};
  action.asked = asked.evaluate;
  action.guard = guard_against(asked, place.stage);
  action.forced = action.guard != Guard::none;
  if (action.forced) action.decision = Decision::full(std::move(asked.reason));

  Answer answer;
  try {
    answer = carry_out(action.decision, question, action.network_milliseconds);
  } catch (...) {  // some of what was kept may be of this evaluation and some of the one before
    memory_->forget();
    meter_->forget();
    emptied_by_ = Guard::failed;
    throw;
  }
  finish_work_on(device);
  action.milliseconds = stopwatch.milliseconds();
  emptied_by_ = Guard::none;
  record(std::move(action), question);
  const Action& done = report_.actions.back();
  pending_ = std::make_unique<Pending>(
      Pending{{done.decision, done.forced, done.milliseconds, done.macs, {}}, answer, question.x, place.stage});
  if (!needs_solver_space(needs_) || answer.denoised.defined()) tell_session();
  return answer;
}

void CachedDenoiser::remember(const at::Tensor& denoised) {
  if (!pending_ || pending_->answer.denoised.defined()) return;
  if (needs_solver_space(needs_)) {
    // What was estimated is no new knowledge.
    const bool computed = pending_->outcome.decision.evaluate.kind != Kind::nothing;
    StageMemory& memory = memory_->stage(pending_->stage);
    for (std::size_t i = 0; computed && i < needs_.targets.size(); ++i) {
      const Target target = needs_.targets[i];
      if (target == Target::denoised) memory.solver_targets[i].push(denoised.clone());
      if (target == Target::change && pending_->x.defined()) memory.solver_targets[i].push(denoised - pending_->x);
    }
    pending_->answer.denoised = denoised;
  }
  tell_session();
}

void CachedDenoiser::tell_session() {
  if (!pending_) return;
  const std::unique_ptr<Pending> done = std::move(pending_);
  const bool computed = done->outcome.decision.evaluate.kind != Kind::nothing;
  done->outcome.measure_output = [&](std::size_t measure) {
    return computed ? meter_->output(measure, done->answer) : OutputMeasure{};
  };
  guarded(*policy_, "observe()", [&] { session_->observe(done->outcome); });
  meter_->end(done->answer, computed);
  ByteCount kept;
  memory_->count(kept);
  meter_->count(kept);
  report_.peak_kept_bytes = std::max(report_.peak_kept_bytes, kept.bytes());
}

Moment CachedDenoiser::moment(const Question& question) const {
  const int step = question.place.step, stage = question.place.stage;
  Moment moment{step, stage, evaluation_, question.sigma, steps_ > 0 ? static_cast<double>(step) / steps_ : 0, {}};
  moment.timestep = question.timestep;
  moment.measure_input = [this](std::size_t measure) { return meter_->input_change(measure); };
  const StageMemory* memory = memory_->find(stage);
  moment.features = memory ? memory->feature_points : std::vector<std::vector<Point>>(needs_.depths.size());
  if (memory) moment.outputs = memory->output_points;
  for (const std::vector<Point>& points : moment.features) {
    moment.age.push_back(points.empty() ? kNever : evaluation_ - points.front().evaluation);
  }
  return moment;
}

Decision CachedDenoiser::ask(const Moment& moment) {
  return guarded(*policy_, "decide() at step " + std::to_string(moment.step), [&] { return session_->decide(moment); });
}

void CachedDenoiser::check(const Decision& decision) const {
  const auto [kind, depth] = decision.evaluate;
  const Estimate& estimate = decision.estimate;
  if (kind == Kind::full) return;
  if (estimate.weights.size() > static_cast<std::size_t>(needs_.history)) {
    throw refused(*policy_, "weighs " + std::to_string(estimate.weights.size()) + " values but declared a history of " +
                                std::to_string(needs_.history));
  }
  if (!std::ranges::all_of(estimate.weights, [](double weight) { return std::isfinite(weight); })) {
    throw refused(*policy_, "weighs kept values with what is no finite number");
  }
  if (kind == Kind::deep) {
    if (std::ranges::find(needs_.depths, depth) == needs_.depths.end()) {
      throw refused(*policy_, "decides for depth " + std::to_string(depth) + ", which it didn't declare");
    }
    if (estimate.target != Target::feature) {
      throw refused(*policy_, "decides for a depth but doesn't estimate its feature");
    }
  }
  if (kind == Kind::encoder_reused) {
    if (!needs_.encoder) throw refused(*policy_, "reuses the encoder but didn't declare that it needs it");
    if (!estimate.weights.empty()) throw refused(*policy_, "weighs the encoder's outputs; only the last ones are kept");
  }
  if (kind == Kind::nothing) {
    // `feature` is what an Estimate says by default; where nothing runs only the prediction can be meant.
    const Target target = estimate.target == Target::feature ? Target::prediction : estimate.target;
    if (std::ranges::find(needs_.targets, target) == needs_.targets.end()) {
      throw refused(*policy_, "evaluates nothing but didn't declare that it needs the " + to_string(target));
    }
  }
}

Guard CachedDenoiser::guard_against(const Decision& decision, int stage) const {
  const auto [kind, depth] = decision.evaluate;
  if (kind == Kind::full) return Guard::none;
  if (emptied_by_ != Guard::none) return emptied_by_;
  if (!needs_.declared_schedule && reuses_ >= needs_.most_reuses) return Guard::reuses;
  const StageMemory* memory = memory_->find(stage);
  if (memory == nullptr) return Guard::missing;
  const std::size_t needed = std::max<std::size_t>(decision.estimate.weights.size(), 1);
  const auto enough = [&](const StageMemory::Branch& branch) {
    if (kind == Kind::encoder_reused) return branch.encoder.middle.defined();
    if (kind == Kind::deep) return branch.features[depth_index(needs_, depth)].size() >= needed;
    return branch.targets[memory_->index_of(decision.estimate.target)].size() >= needed;
  };
  const bool there = kind == Kind::nothing && in_solver_space(decision.estimate.target)
                         ? memory->solver_targets[memory_->index_of(decision.estimate.target)].size() >= needed
                         : std::ranges::all_of(memory->branches, enough);
  return there ? Guard::none : Guard::missing;
}

Answer CachedDenoiser::carry_out(const Decision& decision, const Question& question, double& milliseconds) {
  StageMemory& memory = memory_->stage(question.place.stage);
  if (decision.evaluate.kind == Kind::nothing) return estimated(decision.estimate, question, memory);
  Answer answer;
  std::vector<bool> computed(needs_.depths.size());
  for (std::size_t i = 0; i < question.inputs.size(); ++i) {
    const UNetInput& input = question.inputs[i];
    StageMemory::Branch& branch = memory.branches[i];
    UNetRequest request{decision.evaluate, {}, needs_.depths};
    for (std::size_t j = 0; j < needs_.depths.size(); ++j) {
      if (recomputes(decision.evaluate, needs_.depths[j])) {
        branch.features[j].make_room();
      } else if (needs_.depths[j] == decision.evaluate.depth) {
        request.feature = branch.features[j].estimate(decision.estimate.weights);
      }
    }
    request.keep_encoder = needs_.encoder && decision.evaluate.kind == Kind::full;
    if (request.keep_encoder) branch.encoder = {};
    request.encoder = &branch.encoder;

    const Stopwatch stopwatch;
    UNetResult result = network_->evaluate(input, request);
    finish_work_on(input.latent.device());
    milliseconds += stopwatch.milliseconds();

    for (std::size_t j = 0; j < result.kept.size(); ++j) {
      computed[j] = result.kept[j].defined();
      if (computed[j]) branch.features[j].push(std::move(result.kept[j]));
    }
    if (request.keep_encoder) branch.encoder = std::move(result.encoder);
    for (std::size_t j = 0; j < needs_.targets.size(); ++j) {
      if (needs_.targets[j] == Target::prediction) branch.targets[j].push(result.prediction);
      if (is_residual(needs_.targets[j])) branch.targets[j].push(result.prediction - input.latent);
    }
    answer.predictions.push_back(std::move(result.prediction));
  }
  const Point here{question.place.step, question.place.stage, evaluation_, question.sigma};
  for (std::size_t j = 0; j < computed.size(); ++j) {
    if (computed[j]) push_point(memory.feature_points[j], here, needs_.history);
  }
  if (!needs_.targets.empty()) push_point(memory.output_points, here, needs_.history);
  return answer;
}

Answer CachedDenoiser::estimated(const Estimate& estimate, const Question& question, const StageMemory& memory) const {
  const std::size_t target = memory_->index_of(estimate.target);
  if (in_solver_space(estimate.target)) {
    const at::Tensor value = memory.solver_targets[target].estimate(estimate.weights);
    return {{}, estimate.target == Target::change ? question.x + value : value.clone()};
  }
  const bool mixes = estimate.target == Target::mixed_residual && question.pictures == 1;
  Answer answer;
  for (std::size_t i = 0; i < question.inputs.size(); ++i) {
    const at::Tensor& latent = question.inputs[i].latent;
    at::Tensor value = memory.branches[i].targets[target].estimate(estimate.weights);
    if (is_residual(estimate.target)) value = mixes ? mixed(latent, value) : latent + value;
    answer.predictions.push_back(std::move(value));
  }
  return answer;
}

bool CachedDenoiser::recomputes(const Evaluate& evaluate, int depth) const {
  switch (evaluate.kind) {
    case Kind::full: return true;
    case Kind::deep: return depth < evaluate.depth;
    case Kind::encoder_reused: return depth < network_->skips() - 1;
    case Kind::nothing: break;
  }
  return false;
}

void CachedDenoiser::record(Action action, const Question& question) {
  for (const UNetInput& input : question.inputs) {
    const Evaluate& evaluate = action.decision.evaluate;
    const Macs full = network_->macs(Evaluate::full(), input);
    const Macs done = evaluate == Evaluate::nothing() ? Macs{} : network_->macs(evaluate, input);
    action.macs += done.total();
    action.published_macs += done.module;
    report_.macs_uncached += full.total();
    report_.published_macs_uncached += full.module;
    report_.samples += static_cast<double>(input.latent.size(0));
  }
  report_.macs += action.macs;
  report_.published_macs += action.published_macs;
  reuses_ = action.decision.evaluate == Evaluate::full() ? 0 : reuses_ + 1;
  ++evaluation_;
  report_.actions.push_back(std::move(action));
}

}  // namespace refrain::diffusion
