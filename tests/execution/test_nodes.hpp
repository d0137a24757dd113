#pragma once
// Nodes for the tests of execution, made in this process, and a journal of what they did.

#include <refrain/runtime.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "plugins/registry.hpp"

namespace refrain::testing {

/// What the nodes did, and what they are to do. Each test begins with an empty one.
class Journal {
 public:
  void write(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }
  void clear() {
    take();
    on_step = nullptr;
    fingerprint = "";
    deferred = nullptr;
    alive = 0;
    short_of_memory = true;
  }

  std::function<void(int)> on_step;  ///< called by Steps before each of its steps
  std::string fingerprint;           ///< what Watched says of itself; "always": never the same
  std::function<void()> deferred;    ///< what Later hands over
  bool short_of_memory = true;       ///< the first call of Fail("memory_once") finds none
  std::atomic<int> alive{0};         ///< objects of type COUNTED that exist

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};
Journal& journal();

/// The node types below, sealed:
///   Number(value) -> INT; Add(a, b) -> INT; Increment(value) -> INT (keeps no journal); Pair(value) -> INT, INT + 1;
///   Text(text) -> STRING Show(value), output: journal "Show v"; Two(a, b), output Switch(pick, on_true, on_false lazy)
///   -> *; Chain(first lazy, second lazy): asks for first, then for second Spread(count) -> INT list 0..count-1;
///   SumAll(values list, plus) -> INT; Twice(value) -> INT list; IsOdd(value) -> BOOLEAN Fail(how, value) -> INT (never
///   given); SumUndeclared -> INT ReadFile(file of checkpoints) -> STRING; Watched(value) -> INT with a fingerprint
///   WhoAmI -> STRING (UNIQUE_ID); SeesPrompt -> STRING (PROMPT); ShowPrompt, output; NotTheSame(value) -> INT
///   Steps(count), output; Later(value), output; LaterPass(value) -> INT with deferred work
///   Blob(bytes, seed) -> BLOB; ShareBlob(blob) -> BLOB (the same memory); Tensor(bytes) -> IMAGE
///   Counted(value) -> COUNTED; UseCounted(counted, after) -> INT; Alive(value), output: journal "alive n"
///   Reports(value), output: attaches a record
std::shared_ptr<const Registry> test_registry();

/// A runtime with these nodes.
std::unique_ptr<Runtime> make_runtime(RuntimeOptions options = {});

/// Parses, checks (failing the test when there is anything to find) and runs.
CheckedWorkflow check(const Runtime& runtime, std::string_view json);
RunReport run(Runtime& runtime, std::string_view json, const RunOptions& options = {});

/// The outcome of the node with this id.
NodeOutcome outcome_of(const RunReport& report, std::string_view id);

/// Writes down what it is told: "run_start", "cached 1 2", "executing 3", "progress 3 1/4", "executed 3 {...}", ...
class RecordingObserver final : public RunObserver {
 public:
  std::vector<std::string> events() const {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  void run_start(std::size_t nodes) override { add("run_start " + std::to_string(nodes)); }
  void cached(std::span<const NodeRef> nodes) override;
  void executing(const NodeRef& node) override { add("executing " + std::string(node.id)); }
  void progress(const NodeRef& node, std::int64_t value, std::int64_t max) override {
    add("progress " + std::string(node.id) + " " + std::to_string(value) + "/" + std::to_string(max));
  }
  void executed(const NodeRef& node, std::string_view ui) override {
    add("executed " + std::string(node.id) + (ui.empty() ? "" : " ") + std::string(ui));
  }
  void log(const NodeRef& node, LogLevel, std::string_view line) override {
    add("log " + std::string(node.id) + " " + std::string(line));
  }
  void error(const NodeFailure& failure) override { add("error " + failure.node_id); }
  void interrupted(const NodeRef& node) override { add("interrupted " + std::string(node.id)); }
  void run_end(const RunReport& report) override { add("run_end " + std::string(name_of(report.outcome))); }

 private:
  void add(std::string event) {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> events_;
};

/// Joins lines with "; ".
std::string joined(const std::vector<std::string>& lines);

}  // namespace refrain::testing
