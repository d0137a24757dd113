#pragma once
// `refrain run --json`: one JSON object a line, in the dialect of comfy-cli's `comfy run --json` (its
// docs/json-output.md: events of the schema event/1, an envelope of the schema envelope/1 as the last line).

#include <refrain/runtime.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::cli {

/// Why a command failed, as an envelope tells it.
struct EnvelopeError {
  std::string code;  ///< empty: nothing failed
  std::string message;
  std::string details;  ///< JSON; empty: null
};

/// The error of a workflow that did not pass the check: prompt_rejected or workflow_unknown_nodes, with `node_errors`.
EnvelopeError error_of(std::span<const Diagnostic> diagnostics);

/// Follows one run and writes its events.
class RunEvents final : public RunObserver {
 public:
  /// `source`: the file's name or "<stdin>". `folders` are those of the runtime.
  RunEvents(std::FILE* stream, std::string source, const RuntimeOptions& folders);

  /// prompt_preview and queued.
  void begin(const CheckedWorkflow& workflow);

  void cached(std::span<const NodeRef> nodes) override;
  void executing(const NodeRef& node) override;
  void progress(const NodeRef& node, std::int64_t value, std::int64_t max) override;
  void executed(const NodeRef& node, std::string_view ui) override;
  void error(const NodeFailure& failure) override;
  /// `output` for every file: only now are they all there.
  void run_end(const RunReport& report) override;

  /// What the envelope says of this run, as one JSON object: workflow, status, prompt_id, outputs, ...
  const std::string& data() const { return data_; }
  const std::vector<std::string>& outputs() const { return outputs_; }
  const EnvelopeError& failure() const { return failure_; }

 private:
  void write_node_event(const char* type, const NodeRef& node);

  std::FILE* stream_;
  std::string source_;
  RuntimeOptions folders_;
  std::string prompt_id_;
  std::mutex mutex_;
  std::map<std::string, std::chrono::steady_clock::time_point, std::less<>>
      told_;  // when a node's progress was last told
  std::vector<std::string> cached_ids_, executed_ids_, outputs_;
  EnvelopeError failure_;
  std::string data_;
};

/// The last line. `data` is JSON; of several runs it holds them all.
void write_envelope(std::FILE* stream, std::string_view command, const std::string& data, const EnvelopeError& error);

/// One object out of those of several runs: {"status", "outputs", "runs": [...]}; of a single run its own.
std::string joined_data(const std::vector<std::string>& runs, const std::vector<std::string>& outputs, bool done);

}  // namespace refrain::cli
