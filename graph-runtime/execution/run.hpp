#pragma once
// One run of a plan, from the first signature to the report.

#include <c10/util/ApproximateClock.h>
#include <refrain/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "execution/deferred_work.hpp"
#include "execution/exception_boundary.hpp"
#include "execution/node_call.hpp"
#include "execution/node_traits.hpp"
#include "execution/plan_signatures.hpp"
#include "execution/result_cache.hpp"
#include "execution/run_host.hpp"
#include "execution/schedule.hpp"

namespace refrain {

/// What lasts from run to run: the kept results, the background thread, and buffers that need not grow again.
struct RunWorkspace {
  explicit RunWorkspace(std::uint64_t cache_bytes) : cache(cache_bytes) {}

  ResultCache cache;
  NodeTraitsTable traits_table;
  PlanLayout layout;
  PlanSignatures signatures;
  Schedule schedule;
  NodeCall call;
  std::vector<ResultCache::Id> results;  // of each node; pinned by the run while it is set
  DeferredWork deferred;                 // last: it stops before the rest goes
};

/// Lives for one run, on one thread.
class Run {
 public:
  Run(RunWorkspace& space, const RuntimeHost& host, std::shared_ptr<const ExecutionPlan> plan,
      const RunOptions& options);

  /// Leaves nothing of the run behind, whichever way it ends.
  ~Run() { let_go(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  /// Runs what the outputs need; failures of nodes are in the report.
  RunReport execute();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Attempt : std::uint8_t { done, waits, lost, failed };

  void prepare();
  void request_outputs();
  bool reuse(std::uint32_t node) { return space_.cache.kept() > 0 && take_kept(node); }
  bool take_kept(std::uint32_t node);
  void announce_reused();

  void run_ready_nodes();
  void step(std::uint32_t node);
  bool make_room();
  Attempt guarded_attempt(std::uint32_t node);
  Attempt attempt(std::uint32_t node);
  Attempt ask_and_run(std::uint32_t node, Node& object);
  NodeObject make_or_take(std::uint32_t node);
  void gather(std::uint32_t node);
  void add_hidden(const NodeTraits& traits, std::uint32_t node);
  std::optional<Schedule::Source> demand_lazy(std::uint32_t node, const Node& object);
  Schedule::Source demand_named(std::uint32_t node, std::string_view name, bool& asked);

  void store(std::uint32_t node);
  void publish(std::uint32_t node);
  void drop_released() {
    if (!space_.schedule.released().empty()) unpin_released();
  }
  void unpin_released();
  void fail(std::uint32_t node, CaughtException&& caught, bool with_inputs);
  void add_progress(NodeFailure& failure) const;
  void take_deferred_failures();
  void finish_deferred();
  void interrupt(std::uint32_t node);

  void let_go();
  void fill_report();
  double milliseconds_per_tick() const;
  NodeOutcome outcome(std::uint32_t node) const;

  RunWorkspace& space_;
  std::shared_ptr<const ExecutionPlan> plan_;
  RunObserver* observer_;
  const std::function<bool(const NodeRef&)>& recompute_;  // of the options, which outlive the run
  RunHost host_;
  RunReport report_;
  bool cancelled_ = false;
  Clock::time_point began_ = Clock::now();
  c10::approx_time_t began_ticks_ = c10::getApproximateTime();  // a third of the steady clock's cost, and made for this
  c10::approx_time_t now_ = 0;                                  // when the last node ended: the next one's beginning
  CaughtException caught_;                                      // by the last attempt that failed
  Value hidden_values_[3];                                 // PROMPT and EXTRA_PNGINFO once a run, UNIQUE_ID once a node
  std::unordered_map<std::uint32_t, NodeObject> waiting_;  // nodes that wait for lazy inputs
  std::vector<NodeRef> reused_;                            // not announced yet
};

}  // namespace refrain
