#pragma once
// What the runtime offers to a node while a run is on.

#include <refrain/errors.hpp>
#include <refrain/runtime.hpp>

#include <atomic>
#include <cstdint>

#include "execution/deferred_work.hpp"
#include "execution/runtime_host.hpp"
#include "planning/execution_plan.hpp"

namespace refrain {

/// `node` of `plan`, for observers.
inline NodeRef node_ref(const ExecutionPlan& plan, std::uint32_t node) {
  const PlannedNode& planned = plan.nodes()[node];
  return {planned.id, planned.title, planned.type->schema.name};
}

/// The services of one run. The run says which node it is at; deferred work speaks for the node that queued it.
class RunHost final : public RuntimeHost {
 public:
  RunHost(const RuntimeHost& base, const ExecutionPlan& plan, RunObserver* observer, const CancelToken* cancel,
          DeferredWork& deferred)
      : RuntimeHost(base), plan_(plan), observer_(observer), cancel_(cancel), deferred_(deferred) {}

  void enter(std::uint32_t node) { node_.store(node, std::memory_order_relaxed); }

  bool cancelled() const override { return cancel_ && cancel_->cancelled(); }
  void progress(std::int64_t done, std::int64_t of) override {
    if (observer_) observer_->progress(node_ref(plan_, node()), done, of);
  }
  void log(LogLevel level, std::string_view line) override {
    if (observer_) observer_->log(node_ref(plan_, node()), level, line);
  }
  bool wants_previews() const override { return observer_ && observer_->wants_previews(); }
  void preview(const at::Tensor& pixels) override {
    if (observer_) observer_->preview(node_ref(plan_, node()), pixels);
  }
  /// Waits while too much work is queued already; throws Cancelled when the run is cancelled meanwhile.
  void defer(std::function<void()> work) override {
    if (!deferred_.submit(node(), std::move(work), [this] { return cancelled(); })) throw Cancelled();
    handed_over_.fetch_add(1, std::memory_order_relaxed);
  }
  /// How often a node has handed work over.
  std::uint64_t handed_over() const { return handed_over_.load(std::memory_order_relaxed); }

 private:
  std::uint32_t node() const {
    const auto deferred = deferred_.node_of_this_thread();
    return deferred ? *deferred : node_.load(std::memory_order_relaxed);
  }

  const ExecutionPlan& plan_;
  RunObserver* observer_;
  const CancelToken* cancel_;
  DeferredWork& deferred_;
  std::atomic<std::uint32_t> node_{0};
  std::atomic<std::uint64_t> handed_over_{0};
};

}  // namespace refrain
