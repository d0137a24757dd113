#pragma once
// The public API of the graph runtime: load node libraries, read a workflow, check it, run it.
//
//   refrain::Runtime runtime({.model_folders = {"models"}});
//   refrain::Workflow workflow = runtime.parse(text, "workflow.json");
//   refrain::CheckedWorkflow checked = runtime.check(std::move(workflow));
//   if (checked.runnable()) runtime.run(checked);

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planning/diagnostic.hpp"

namespace at {
class Tensor;
}

namespace refrain {

class ExecutionPlan;
class Host;
class Registry;
class Value;
struct WorkflowGraph;
enum class LogLevel : std::uint8_t;  // <refrain/host.hpp>

/// Where the runtime finds things and how it computes. Empty paths take the default named behind them.
struct RuntimeOptions {
  std::vector<std::filesystem::path> plugin_paths{};  ///< folders or files of node libraries, before all others
  bool standard_plugin_paths = true;  ///< also REFRAIN_PLUGIN_PATH, the user's, the system's and the built ones
  std::vector<std::filesystem::path> model_folders{};      ///< roots laid out as ComfyUI's `models`; default: ./models
  std::vector<std::filesystem::path> extra_model_paths{};  ///< files like ComfyUI's extra_model_paths.yaml
  std::filesystem::path input_directory{};                 ///< ./input
  std::filesystem::path output_directory{};                ///< ./output
  std::filesystem::path temp_directory{};                  ///< ./temp
  std::filesystem::path vocabulary_file{};  ///< REFRAIN_VOCABULARY, else share/refrain beside the program's prefix
  std::string device = "cpu";               ///< as torch writes it: "cpu", "cuda", "cuda:1"
  std::string dtype = "auto";               ///< "auto", "fp32", "bf16" or "fp16": what models compute in
  std::optional<std::uint64_t>
      cache_bytes{};  ///< of results kept after their last reader; default: half of the free memory
};

/// What became of one file that may be a node library.
struct PluginStatus {
  std::filesystem::path file;
  bool loaded = false;
  std::string name;  ///< the library's own; empty when its record could not be read
  std::string version;
  std::vector<std::string> nodes;  ///< the types it brought
  std::string code;                ///< why it was refused: a stable code ...
  std::string problem;             ///< ... and a sentence with the remedy
};

/// Asks a run to stop. Any thread and any signal handler may call cancel(); the run notices within one sampler step.
class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }
  /// Makes the token fit for another run.
  void reset() noexcept { cancelled_.store(false, std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

/// A node of the workflow that runs. The views live as long as the checked workflow.
struct NodeRef {
  std::string_view id;
  std::string_view title;  ///< `_meta.title`, else the type
  std::string_view type;
};

/// Why a node failed; the fields of ComfyUI's `execution_error`, and a stable code.
struct NodeFailure {
  std::string node_id;
  std::string node_title;
  std::string node_type;
  std::string code;
  std::string exception_type;
  std::string exception_message;
  std::vector<std::string> traceback;  ///< where the failure was caught
  std::vector<std::pair<std::string, std::vector<std::string>>>
      current_inputs;                        ///< numbers and text, cut; else the type's name
  std::vector<std::string> current_outputs;  ///< nodes whose results were there; of a run's first failure only
  std::vector<std::string> executed;         ///< nodes that had run, or were reused; of a run's first failure only

  /// "Node 3 'title' (KSampler) failed: message" in one text of at most 4000 bytes.
  std::string describe() const;
};

enum class NodeOutcome : std::uint8_t {
  run,     ///< computed in this run
  reused,  ///< taken from the result cache, or from an equal node of this run
  failed,
  skipped,     ///< needs a node that failed
  not_needed,  ///< no output asked for it, or only nodes that were reused
  stopped,     ///< not reached before the run was cancelled
};
std::string_view name_of(NodeOutcome outcome);

struct NodeReport {
  double milliseconds = 0;  ///< inside the node, deferred work not counted
  std::uint32_t calls = 0;  ///< more than 1 for lists
  NodeOutcome outcome = NodeOutcome::not_needed;
};

/// Something that a node put into the report, such as the actions of a cached sampling run.
struct NodeRecord {
  NodeRef node;
  std::string kind;
  std::string json;
};

enum class RunOutcome : std::uint8_t { done, failed, cancelled };
std::string_view name_of(RunOutcome outcome);

/// What a run did and what it cost.
struct RunReport {
  RunOutcome outcome = RunOutcome::done;
  double milliseconds = 0;
  std::vector<NodeReport> nodes;  ///< in the plan's order; see node()
  std::vector<NodeRecord> records;
  std::vector<NodeFailure> failures;
  std::vector<std::pair<std::string, std::string>> ui;  ///< node id and what it shows, as JSON text
  std::uint64_t peak_memory =
      0;  ///< of the process in this run, bytes (since its start where the kernel cannot reset it)
  std::uint64_t peak_device_memory = 0;       ///< of torch's allocator on the device, bytes; 0 on the CPU
  std::uint64_t kept_bytes = 0;               ///< in the result cache afterwards
  std::shared_ptr<const ExecutionPlan> plan;  ///< what the views look into

  /// Whom nodes[index] is about.
  NodeRef node(std::size_t index) const;
  std::size_t count(NodeOutcome outcome) const;
  /// The report as one JSON object.
  std::string json() const;
};

/// Told what a run does, on the thread that called run(); only progress() and log() may come from the thread of
/// deferred work too. Overrides must not throw.
class RunObserver {
 public:
  virtual ~RunObserver();
  /// `nodes`: how many may run.
  virtual void run_start(std::size_t nodes);
  /// Nodes whose kept results serve this run.
  virtual void cached(std::span<const NodeRef> nodes);
  /// Comes again for a node that waited for its lazy inputs.
  virtual void executing(const NodeRef& node);
  virtual void progress(const NodeRef& node, std::int64_t value, std::int64_t max);
  /// `ui`: what the node shows, as JSON text, or empty.
  virtual void executed(const NodeRef& node, std::string_view ui);
  /// What a node that ran gave, by output slot; comes after executed(). The spans live as long as the call, copies of
  /// the values as long as their owner likes.
  virtual void produced(const NodeRef& node, std::span<const std::vector<Value>> outputs);
  virtual void log(const NodeRef& node, LogLevel level, std::string_view line);
  /// Whether preview() has any use: nodes make no previews otherwise.
  virtual bool wants_previews() const;
  /// An unfinished picture, [H, W, 3] in 0..1 of any float type.
  virtual void preview(const NodeRef& node, const at::Tensor& pixels);
  virtual void error(const NodeFailure& failure);
  /// The run was cancelled while this node ran, or before it.
  virtual void interrupted(const NodeRef& node);
  virtual void run_end(const RunReport& report);
};

/// A workflow that has been read, and may be edited before it is checked.
class Workflow {
 public:
  explicit Workflow(WorkflowGraph graph);
  Workflow(Workflow&&) noexcept;
  Workflow& operator=(Workflow&&) noexcept;
  ~Workflow();

  /// The UI's graph, which goes into PNG files beside the prompt; JSON text.
  void set_ui_workflow(std::string json);
  const WorkflowGraph& graph() const { return *graph_; }
  /// For changes; after one of nodes or links, index_graph() makes the graph whole again.
  WorkflowGraph& edit() { return *graph_; }

 private:
  friend class Runtime;
  std::unique_ptr<WorkflowGraph> graph_;
};

/// The outcome of checking: everything that is wrong, and the plan of what can run.
class CheckedWorkflow {
 public:
  const std::vector<Diagnostic>& diagnostics() const { return diagnostics_; }
  /// Whether there is a plan: there are no diagnostics.
  bool runnable() const { return plan_ != nullptr; }
  const ExecutionPlan& plan() const { return *plan_; }

 private:
  friend class Runtime;
  std::vector<Diagnostic> diagnostics_;
  std::shared_ptr<const ExecutionPlan> plan_;
};

struct RunOptions {
  RunObserver* observer = nullptr;
  const CancelToken* cancel = nullptr;
  /// Nodes that are computed even when a kept result would serve; for measurements. Empty: none.
  std::function<bool(const NodeRef&)> recompute{};
};

/// A process's node types, folders and kept results. One run at a time: a second run() waits for the first.
class Runtime {
 public:
  /// Loads the node libraries. One that is refused stops nothing: see plugins().
  explicit Runtime(RuntimeOptions options = {});
  /// With node types made elsewhere, loading none; for tests and embedding. `registry` is sealed.
  Runtime(RuntimeOptions options, std::shared_ptr<const Registry> registry);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const std::vector<PluginStatus>& plugins() const;
  const Registry& registry() const;
  const RuntimeOptions& options() const;
  /// The folders, device and dtype as nodes see them outside a run.
  const Host& host() const;

  /// Reads a workflow in ComfyUI's API format. Throws WorkflowReadError with line and column.
  Workflow parse(std::string_view text, std::string source_name) const;
  /// Sets an input, as `--set` does: `target` is `<id or title>.<input>`, `value` JSON, or else text as it stands.
  /// Throws WorkflowReadError `setting_rejected` with the near names.
  void set(Workflow& workflow, std::string_view target, std::string_view value) const;
  /// Gives required inputs that the workflow leaves out their defaults, as ComfyUI's editor does when it opens a
  /// workflow that is older than its nodes. Those without a default stay out.
  void fill_in(Workflow& workflow) const;
  /// Checks every node that an output needs; never throws for a bad workflow.
  CheckedWorkflow check(Workflow workflow) const;
  /// Runs a checked workflow. Failures of nodes are in the report; throws only for a mistake of the caller's.
  RunReport run(const CheckedWorkflow& checked, const RunOptions& options = {});

  /// ComfyUI's `/object_info` for all types, or for the named ones, as JSON text; unknown names are left out.
  std::string object_info(std::span<const std::string> names = {}) const;
  /// Drops all kept results.
  void clear_cache();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace refrain
