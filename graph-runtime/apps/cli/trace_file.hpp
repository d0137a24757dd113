#pragma once
// `refrain run --trace`: where the time went, for chrome://tracing and ui.perfetto.dev.

#include <refrain/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace refrain::cli {

/// Follows runs and notes what took how long: each workflow, in it each node, in that each step that it told. The steps
/// of a sampler carry what they computed.
class TraceFile final : public RunObserver {
 public:
  /// `file`: where to write; empty: nowhere, and nothing is noted.
  explicit TraceFile(std::string file) : file_(std::move(file)) {}

  /// The next run is that of `source`.
  void begin(std::string source);
  void executing(const NodeRef& node) override;
  void progress(const NodeRef& node, std::int64_t value, std::int64_t max) override;
  void executed(const NodeRef& node, std::string_view ui) override;
  void error(const NodeFailure& failure) override;
  void interrupted(const NodeRef& node) override;
  void run_end(const RunReport& report) override;

  /// Writes Chrome's trace event format: complete events ("ph": "X") in microseconds. Throws Error (file_unwritable).
  void write() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Slice {
    std::string name;
    std::string category;  ///< "workflow", "node" or "step"
    std::string node;      ///< id
    std::int64_t step = 0;
    double begin = 0;  ///< microseconds since the command began
    double duration = 0;
    std::string does;  ///< of a sampler's step: "full", "deep(0)"
  };

  bool wanted() const { return !file_.empty(); }
  double now() const { return std::chrono::duration<double, std::micro>(Clock::now() - zero_).count(); }
  void close(const char* how);

  std::string file_;
  Clock::time_point zero_ = Clock::now();
  mutable std::mutex mutex_;
  std::vector<Slice> slices_;
  std::size_t of_run_ = 0;  // first slice of the run
  std::string source_;
  double run_began_ = 0, step_began_ = 0;
  Slice open_;  // the node that runs; no name: none
};

}  // namespace refrain::cli
