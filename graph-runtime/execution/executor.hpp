#pragma once
// Runs plans, keeping results from one run to the next.

#include <refrain/runtime.hpp>

#include <memory>
#include <mutex>

#include "execution/run.hpp"
#include "execution/runtime_host.hpp"

namespace refrain {

/// One run at a time; a second one waits for the first.
class Executor {
 public:
  /// `host` gives folders, device and dtype. `cache_bytes`: how much is kept of results that no run reads any more.
  Executor(RuntimeHost host, std::uint64_t cache_bytes) : host_(std::move(host)), space_(cache_bytes) {}

  /// Runs what the plan's outputs need. What a node throws ends in the report, never here.
  RunReport run(std::shared_ptr<const ExecutionPlan> plan, const RunOptions& options = {}) {
    const std::lock_guard one_at_a_time(mutex_);
    return Run(space_, host_, std::move(plan), options).execute();
  }

  void clear_cache() {
    const std::lock_guard lock(mutex_);
    space_.cache.clear();
  }
  RuntimeHost& host() { return host_; }

 private:
  std::mutex mutex_;
  RuntimeHost host_;
  RunWorkspace space_;
};

}  // namespace refrain
