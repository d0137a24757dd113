#include "execution/run.hpp"

#include <c10/core/InferenceMode.h>
#include <refrain/payloads.hpp>

#include <algorithm>
#include <utility>

#include "execution/device_memory.hpp"
#include "execution/failure_record.hpp"
#include "execution/memory_guard.hpp"

namespace refrain {

Run::Run(RunWorkspace& space, const RuntimeHost& host, std::shared_ptr<const ExecutionPlan> plan,
         const RunOptions& options)
    : space_(space),
      plan_(std::move(plan)),
      observer_(options.observer),
      recompute_(options.recompute),
      host_(host, *plan_, options.observer, options.cancel, space.deferred) {}

RunReport Run::execute() {
  const c10::InferenceMode no_autograd;
  reset_peak_resident();
  reset_peak_device_memory(host_.device());
  prepare();
  request_outputs();
  if (observer_) observer_->run_start(space_.schedule.asked_nodes());
  announce_reused();
  run_ready_nodes();
  finish_deferred();
  fill_report();
  if (observer_) observer_->run_end(report_);
  return std::move(report_);
}

void Run::prepare() {
  space_.layout.build(*plan_, space_.traits_table);
  space_.results.assign(space_.layout.nodes.size(), ResultCache::kNone);
  report_.nodes.resize(space_.layout.nodes.size());
  space_.signatures.compute(*plan_, space_.layout, host_);
  space_.schedule.begin(space_.layout, space_.signatures.same_as());
}

void Run::request_outputs() {
  for (const std::uint32_t output : plan_->outputs())
    space_.schedule.request(output, [this](std::uint32_t n) { return reuse(n); });
  drop_released();
}

/// Takes a kept result for a node. Output nodes always run.
bool Run::take_kept(std::uint32_t node) {
  if (space_.layout.nodes[node].output) return false;
  if (recompute_ && recompute_(node_ref(*plan_, node))) return false;
  const ResultCache::Id kept = space_.cache.find(space_.signatures.of(node));
  if (kept == ResultCache::kNone) return false;
  space_.cache.pin(kept);
  space_.results[node] = kept;
  if (observer_) reused_.push_back(node_ref(*plan_, node));
  return true;
}

void Run::announce_reused() {
  if (reused_.empty()) return;
  observer_->cached(reused_);
  reused_.clear();
}

void Run::run_ready_nodes() {
  now_ = c10::getApproximateTime();
  while (space_.schedule.has_ready() && !cancelled_) {
    const std::uint32_t node = space_.schedule.take();
    if (host_.cancelled()) return interrupt(node);
    step(node);
    if (space_.deferred.has_failures()) take_deferred_failures();
  }
}

void Run::step(std::uint32_t node) {
  host_.enter(node);
  if (observer_) observer_->executing(node_ref(*plan_, node));
  const std::uint64_t handed_over = host_.handed_over();
  Attempt attempted = guarded_attempt(node);
  if (attempted == Attempt::failed && caught_.code == kOutOfMemory && host_.handed_over() == handed_over && make_room())
    attempted = guarded_attempt(node);
  const c10::approx_time_t ended = c10::getApproximateTime();
  NodeReport& report = report_.nodes[node];
  report.milliseconds += static_cast<double>(ended - now_);  // ticks until fill_report()
  report.calls += space_.call.calls();
  now_ = ended;
  if (attempted == Attempt::done) {
    store(node);
  } else if (attempted == Attempt::failed) {
    if (caught_.cancelled || host_.cancelled()) return interrupt(node);  // what fails on the way out is no failure
    return fail(node, std::move(caught_), true);
  } else if (attempted == Attempt::waits) {
    space_.schedule.put_back(node);
  } else {
    space_.schedule.skip(node);
  }
  drop_released();
}

/// The one place where what a running node throws is caught.
Run::Attempt Run::guarded_attempt(std::uint32_t node) {
  try {
    return attempt(node);
  } catch (...) {
    caught_ = describe_current_exception();
    return Attempt::failed;
  }
}

/// Drops the results that are only kept. False when there were none: then a second attempt would end as the first one.
bool Run::make_room() {
  if (space_.cache.kept() == 0) return false;
  space_.cache.clear();
  return true;
}

Run::Attempt Run::attempt(std::uint32_t node) {
  const PlanLayout::Node& placed = space_.layout.nodes[node];
  gather(node);  // first, so that what fails from here on is told with its inputs
  const bool asks = placed.has_lazy && placed.traits->overrides(abi::kNeeds);
  if (Node* const object = placed.traits->stateless.get()) {
    if (asks) return ask_and_run(node, *object);
    space_.call.run(*object);
    return Attempt::done;
  }
  NodeObject own = make_or_take(node);
  if (!asks) {
    space_.call.run(*own);
    return Attempt::done;
  }
  const Attempt attempted = ask_and_run(node, *own);
  if (attempted == Attempt::waits) waiting_.emplace(node, std::move(own));
  return attempted;
}

/// Runs a node that says itself which of its lazy inputs it wants.
Run::Attempt Run::ask_and_run(std::uint32_t node, Node& object) {
  while (const auto demanded = demand_lazy(node, object)) {
    if (*demanded == Schedule::Source::lost) return Attempt::lost;
    if (*demanded == Schedule::Source::pending) return Attempt::waits;
    gather(node);
  }
  space_.call.run(object);
  return Attempt::done;
}

/// The node's object, which a node that waited has already.
NodeObject Run::make_or_take(std::uint32_t node) {
  if (!waiting_.empty())
    if (auto waited = waiting_.extract(node)) return std::move(waited.mapped());
  return make_node(*space_.layout.nodes[node].traits->type);
}

void Run::gather(std::uint32_t node) {
  const PlanLayout::Node& placed = space_.layout.nodes[node];
  const NodeTraits& traits = *placed.traits;
  NodeCall& call = space_.call;
  call.begin(traits, host_);
  for (std::uint32_t i = placed.inputs; i != placed.inputs_end; ++i) {
    const PlanLayout::Input& input = space_.layout.inputs[i];
    const std::string_view name =
        input.port < 0 ? plan_->inputs()[i].name : traits.ports[static_cast<std::size_t>(input.port)];
    if (input.source == PlanLayout::kLiteral) {
      call.add_input(name, {&plan_->literal(plan_->inputs()[i]), 1});
    } else if (!input.asked) {
      call.add_input(name, {});
    } else {
      call.add_linked_input(name, space_.cache.values(space_.results[input.source], input.slot));
    }
  }
  for (const NodeTraits::Default& missing : traits.defaults) {
    const auto inputs = plan_->inputs(plan_->nodes()[node]);
    if (std::none_of(inputs.begin(), inputs.end(), [&](const auto& in) { return in.port == missing.port; }))
      call.add_input(missing.name, {&missing.value, 1});
  }
  if (!traits.hidden.empty()) add_hidden(traits, node);
}

void Run::add_hidden(const NodeTraits& traits, std::uint32_t node) {
  for (const NodeTraits::Hidden& hidden : traits.hidden) {
    Value& value = hidden_values_[static_cast<int>(hidden.kind)];
    if (hidden.kind == HiddenInput::unique_id) {
      value = Value::make(UniqueId{std::string(plan_->nodes()[node].id)});
    } else if (!value && hidden.kind == HiddenInput::prompt) {
      value = Value::make(Prompt{plan_->prompt_json()});
    } else if (!value) {
      ExtraPngInfo info;
      if (const std::string& workflow = plan_->graph().workflow_json; !workflow.empty())
        info.chunks.emplace_back("workflow", workflow);
      value = Value::make(std::move(info));
    }
    space_.call.add_input(hidden.name, {&value, 1});
  }
}

/// Asks the node which lazy inputs it wants. Nothing when it names no new one; else where the worst of the new ones
/// stands.
std::optional<Schedule::Source> Run::demand_lazy(std::uint32_t node, const Node& object) {
  std::optional<Schedule::Source> worst;
  for (const std::string_view name : space_.call.needs(object)) {
    bool asked = false;
    const Schedule::Source source = demand_named(node, name, asked);
    if (asked) worst = worst ? std::max(*worst, source) : source;
  }
  if (observer_) announce_reused();
  return worst;
}

Schedule::Source Run::demand_named(std::uint32_t node, std::string_view name, bool& asked) {
  const PlannedNode& planned = plan_->nodes()[node];
  for (std::uint32_t i = planned.first_input; i != planned.first_input + planned.input_count; ++i) {
    const PlannedInput& input = plan_->inputs()[i];
    if (input.name != name) continue;
    const PlanLayout::Input& placed = space_.layout.inputs[i];
    if (placed.source == PlanLayout::kLiteral || placed.asked) return Schedule::Source::available;
    asked = true;
    return space_.schedule.demand(node, i, [this](std::uint32_t n) { return reuse(n); });
  }
  if (planned.type->schema.find_input(name)) return Schedule::Source::available;  // optional and not connected
  throw NodeError("no_such_input", "needs() named '" + std::string(name) + "', which is no input of the node");
}

void Run::store(std::uint32_t node) {
  if (observer_ || !space_.call.ui().empty() || !space_.call.records().empty()) publish(node);
  if (!space_.call.outputs().empty()) {
    const bool output = space_.layout.nodes[node].output;
    const Signature signature = output ? Signature{} : space_.signatures.of(node);
    space_.results[node] = space_.cache.add(signature, space_.call.outputs(), 1);
  }
  space_.schedule.finish(node);
}

/// What the node shows and reports.
void Run::publish(std::uint32_t node) {
  for (ReportRecord& record : space_.call.records())
    report_.records.push_back({node_ref(*plan_, node), std::move(record.key), std::move(record.json)});
  std::string ui;
  if (!space_.call.ui().empty()) ui = json_of(space_.call.ui());
  if (observer_) {
    observer_->executed(node_ref(*plan_, node), ui);
    observer_->produced(node_ref(*plan_, node), space_.call.outputs());
  }
  if (!ui.empty()) report_.ui.emplace_back(plan_->nodes()[node].id, std::move(ui));
}

void Run::unpin_released() {
  for (const std::uint32_t node : space_.schedule.released()) {
    const ResultCache::Id result = std::exchange(space_.results[node], ResultCache::kNone);
    if (result != ResultCache::kNone) space_.cache.unpin(result);
  }
  space_.schedule.clear_released();
}

void Run::fail(std::uint32_t node, CaughtException&& caught, bool with_inputs) {
  NodeFailure failure = make_failure(*plan_, node, std::move(caught));
  if (with_inputs) failure.current_inputs = describe_inputs(space_.call.inputs());
  if (report_.failures.empty()) add_progress(failure);
  if (observer_) observer_->error(failure);
  report_.failures.push_back(std::move(failure));
  space_.schedule.fail(node);
  drop_released();
}

/// Which nodes had run so far: for the first failure only, since it takes a walk over all nodes.
void Run::add_progress(NodeFailure& failure) const {
  for (std::uint32_t n = 0; n < plan_->nodes().size(); ++n) {
    if (!space_.schedule.has_result(n)) continue;
    failure.executed.emplace_back(plan_->nodes()[n].id);
    if (space_.results[n] != ResultCache::kNone) failure.current_outputs.emplace_back(plan_->nodes()[n].id);
  }
}

/// Work that a node had handed over failed: so did the node, and what it gave is not kept.
void Run::take_deferred_failures() {
  for (DeferredWork::Failure& failure : space_.deferred.take_failures()) {
    CaughtException caught = describe_exception(failure.error);
    if (caught.cancelled || host_.cancelled()) {
      cancelled_ = cancelled_ || host_.cancelled();
      continue;
    }
    if (space_.schedule.state(failure.node) == Schedule::State::failed) continue;
    const ResultCache::Id kept = space_.cache.find(space_.signatures.of(failure.node));
    if (kept != ResultCache::kNone) space_.cache.forget(kept);
    fail(failure.node, std::move(caught), false);
  }
}

void Run::finish_deferred() {
  const std::size_t dropped = space_.deferred.drain([this] { return cancelled_ || host_.cancelled(); });
  cancelled_ = cancelled_ || dropped > 0;
  take_deferred_failures();
}

void Run::interrupt(std::uint32_t node) {
  cancelled_ = true;
  if (observer_) observer_->interrupted(node_ref(*plan_, node));
}

/// Drops what an early end has left over: deferred work that has not started, pinned results.
void Run::let_go() {
  space_.deferred.drain([] { return true; });
  for (ResultCache::Id& result : space_.results)
    if (result != ResultCache::kNone) space_.cache.unpin(std::exchange(result, ResultCache::kNone));
}

void Run::fill_report() {
  let_go();
  report_.outcome = cancelled_                 ? RunOutcome::cancelled
                    : report_.failures.empty() ? RunOutcome::done
                                               : RunOutcome::failed;
  const double per_tick = milliseconds_per_tick();
  for (std::uint32_t n = 0; n < report_.nodes.size(); ++n) {
    report_.nodes[n].milliseconds *= per_tick;
    report_.nodes[n].outcome = outcome(n);
  }
  report_.peak_memory = peak_resident();
  report_.peak_device_memory = peak_device_memory(host_.device());
  report_.kept_bytes = space_.cache.kept_bytes();
  report_.plan = plan_;
  report_.milliseconds = std::chrono::duration<double, std::milli>(Clock::now() - began_).count();
}

/// The ticks of a run, set against the steady clock.
double Run::milliseconds_per_tick() const {
  const auto ticks = static_cast<double>(c10::getApproximateTime() - began_ticks_);
  const std::chrono::duration<double, std::milli> time = Clock::now() - began_;
  return ticks > 0 ? time.count() / ticks : 0;
}

NodeOutcome Run::outcome(std::uint32_t node) const {
  using State = Schedule::State;
  const std::uint32_t computed = space_.signatures.same_as()[node];
  switch (space_.schedule.state(computed)) {
    case State::done: return computed == node ? NodeOutcome::run : NodeOutcome::reused;
    case State::reused: return NodeOutcome::reused;
    case State::failed: return computed == node ? NodeOutcome::failed : NodeOutcome::skipped;
    case State::skipped: return NodeOutcome::skipped;
    case State::idle: return cancelled_ ? NodeOutcome::stopped : NodeOutcome::not_needed;
    case State::not_needed: return NodeOutcome::not_needed;
    case State::waiting:
    case State::ready:
    case State::running: break;
  }
  return NodeOutcome::stopped;
}

}  // namespace refrain
