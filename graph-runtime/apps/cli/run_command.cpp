#include <refrain/errors.hpp>
#include <refrain/runtime.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "device_check.hpp"
#include "exit_code.hpp"
#include "file_watch.hpp"
#include "interrupt.hpp"
#include "json_events.hpp"
#include "observer_list.hpp"
#include "planning/execution_plan.hpp"
#include "preview_files.hpp"
#include "run_observer.hpp"
#include "run_report_file.hpp"
#include "runtime_flags.hpp"
#include "saved_file.hpp"
#include "trace_file.hpp"
#include "workflow_file.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
Examples:
  refrain run workflow.json
  refrain run workflow.json --set 3.seed=7 --set "Empty Latent Image.width=768"
  refrain run ComfyUI_00001_.png            the workflow that a picture carries
  generate-workflow | refrain run - --report report.json
  refrain run workflow.json --set 6.text=@prompt.txt
  refrain run a.json b.json                 the model is loaded once
  refrain run workflow.json --watch         again whenever the file changes
  refrain run workflow.json --json          events for programs, as comfy-cli's run --json
  refrain run workflow.json --trace t.json  a timeline for ui.perfetto.dev

The names of saved files go to stdout, everything else to stderr.
Exit codes: 0 done, 1 failed, 2 invalid input, nothing was executed, 130 interrupted.
Ctrl-C stops after the sampler's step, a second one at once.)";

struct RunFlags {
  RuntimeFlags runtime;
  std::vector<std::string> files;
  std::vector<std::string> settings;
  std::string report;
  std::string trace;
  std::filesystem::path previews;
  bool json = false;
  bool watch = false;
  bool dry_run = false;
  bool quiet = false;
};

/// A workflow that has passed all checks, with its name.
struct Job {
  std::string source;
  CheckedWorkflow checked;
};

/// All workflows, or nothing when one of them is wrong: then every one was reported, and `problem` is the first.
std::vector<Job> check_all(const Runtime& runtime, const RunFlags& flags, EnvelopeError& problem) {
  std::vector<Job> jobs;
  const auto note = [&](EnvelopeError error) {
    if (problem.code.empty()) problem = std::move(error);
  };
  for (const std::string& file : flags.files) {
    try {
      Workflow workflow = open_workflow(runtime, file, flags.settings);
      jobs.push_back({file == "-" ? "<stdin>" : file, runtime.check(std::move(workflow))});
      const auto& diagnostics = jobs.back().checked.diagnostics();
      if (!diagnostics.empty() || !jobs.back().checked.runnable()) {
        note(error_of(diagnostics));
        print_diagnostics(jobs.back().source, diagnostics);
      }
    } catch (const WorkflowError& error) {
      note({error.code(), error.what(), {}});
      report_exception();
    }
  }
  if (!problem.code.empty()) {
    jobs.clear();
  }
  return jobs;
}

void print_plan(const Job& job) {
  const auto nodes = job.checked.plan().nodes();
  fmt::print("{}: {} {} to run\n", presentable(job.source), nodes.size(), nodes.size() == 1 ? "node" : "nodes");
  for (const PlannedNode& node : nodes) {
    fmt::print("  {} {}{}{}\n", presentable(node.id), node.type->schema.name,
               node.title == node.type->schema.name ? "" : presentable(fmt::format(" \"{}\"", node.title)),
               node.output ? "  (output)" : "");
  }
}

void print_summary(const Job& job, const RunReport& report) {
  std::size_t run = 0, reused = 0;
  for (const NodeReport& node : report.nodes) {
    run += node.outcome == NodeOutcome::run ? 1U : 0U;
    reused += node.outcome == NodeOutcome::reused ? 1U : 0U;
  }
  print_note(fmt::format("{}: {} in {:.1f} s, {} nodes run, {} reused", job.source, name_of(report.outcome),
                         report.milliseconds / 1000, run, reused));
}

int code_for(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::done: return kDone;
    case RunOutcome::failed: return kFailed;
    case RunOutcome::cancelled: return kInterrupted;
  }
  return kFailed;
}

/// What the runs of one command share, and what is written when they are through.
class Runs {
 public:
  Runs(Runtime& runtime, const RunFlags& flags, const CancelToken& cancel)
      : runtime_(runtime),
        flags_(flags),
        cancel_(cancel),
        report_file_(flags.report),
        trace_(flags.trace),
        previews_(flags.previews) {}

  /// Runs the jobs in order; a failed one does not keep the next from running, an interrupted one does.
  int run(const std::vector<Job>& jobs) {
    int code = kDone;
    for (const Job& job : jobs) {
      const RunReport report = run_one(job);
      report_file_.add(job.source, report);
      if (!flags_.quiet) print_summary(job, report);
      code = report.outcome == RunOutcome::done ? code : code_for(report.outcome);
      if (report.outcome == RunOutcome::cancelled) break;
    }
    return code;
  }

  void finish(EnvelopeError problem) {
    report_file_.write();
    trace_.write();
    if (flags_.json) {
      if (problem.code.empty()) problem = failure_;
      write_envelope(stdout, "run", joined_data(data_, outputs_, problem.code.empty()), problem);
    }
  }

 private:
  RunReport run_one(const Job& job) {
    ProgressDisplay display(stderr, ProgressDisplay::style_of(stderr));
    ConsoleObserver console(display, flags_.quiet);
    RunEvents events(stdout, job.source, runtime_.options());
    ObserverList observers;
    observers.add(console);
    observers.add(previews_);
    observers.add(trace_);
    if (flags_.json) {
      observers.add(events);
      events.begin(job.checked);
    }
    trace_.begin(job.source);
    RunReport report = runtime_.run(job.checked, {&observers, &cancel_});
    if (flags_.json) {
      data_.push_back(events.data());
      outputs_.insert(outputs_.end(), events.outputs().begin(), events.outputs().end());
      if (failure_.code.empty()) failure_ = events.failure();
    } else if (!report_file_.to_stdout()) {
      for (const std::filesystem::path& file : saved_files(report, runtime_.options())) {
        fmt::print("{}\n", file.string());
      }
      std::fflush(stdout);
    }
    return report;
  }

  Runtime& runtime_;
  const RunFlags& flags_;
  const CancelToken& cancel_;
  ReportFile report_file_;
  TraceFile trace_;
  PreviewFiles previews_;
  std::vector<std::string> data_, outputs_;  // for the envelope
  EnvelopeError failure_;
};

/// The files of which a change makes a run out of date.
std::vector<std::string> watched_files(const RunFlags& flags) {
  std::vector<std::string> files = flags.files;
  const std::vector<std::string> more = setting_files(flags.settings);
  files.insert(files.end(), more.begin(), more.end());
  if (std::find(files.begin(), files.end(), "-") != files.end()) {
    throw ValidationError("cannot_watch", "--watch: standard input does not change; name a file");
  }
  return files;
}

/// Runs again and again, until Ctrl-C: whatever is wrong with a workflow may be right the next time.
int keep_running(Runs& runs, const Runtime& runtime, const RunFlags& flags, const CancelToken& cancel) {
  FileWatch watch(watched_files(flags));
  for (;;) {
    EnvelopeError problem;
    const std::vector<Job> jobs = check_all(runtime, flags, problem);
    if (runs.run(jobs) == kInterrupted) return kInterrupted;
    if (!flags.quiet) print_note("watching; Ctrl-C ends");
    if (!watch.wait(cancel)) return kDone;
  }
}

int run_once(Runs& runs, const Runtime& runtime, const RunFlags& flags) {
  EnvelopeError problem;
  const std::vector<Job> jobs = check_all(runtime, flags, problem);
  if (flags.dry_run) {
    for (const Job& job : jobs) print_plan(job);
    return jobs.empty() ? kInvalid : kDone;
  }
  const int code = runs.run(jobs);
  if (!jobs.empty() || flags.json) runs.finish(problem);
  return jobs.empty() ? kInvalid : code;
}

/// Options that contradict each other.
void require_sense(const RunFlags& flags) {
  const auto refuse = [](const char* one, const char* other) {
    throw ValidationError("conflicting_options",
                          fmt::format("{} and {} can't go together: leave one of them out", one, other));
  };
  if (flags.json && flags.report == "-") refuse("--json", "--report -");
  if (flags.json && flags.dry_run) refuse("--json", "--dry-run");
  if (flags.watch && flags.dry_run) refuse("--watch", "--dry-run");
  if (flags.watch && flags.json) refuse("--watch", "--json");
}

int run_or_watch(const RunFlags& flags) {
  CancelToken cancel;
  const InterruptWatch watch([&cancel] {
    cancel.cancel();
    print_note("\nstopping after this step; Ctrl-C again kills");
  });
  require_device(flags.runtime.device);
  Runtime runtime(flags.runtime.options());
  warn_of_refused(runtime.plugins());
  Runs runs(runtime, flags, cancel);
  if (!flags.watch) return run_once(runs, runtime, flags);
  const int code = keep_running(runs, runtime, flags, cancel);
  runs.finish({});
  return code;
}

int run(const RunFlags& flags) {
  require_sense(flags);
  try {
    return run_or_watch(flags);
  } catch (const Error& error) {
    if (flags.json) write_envelope(stdout, "run", {}, {error.code(), error.what(), {}});  // a stream never just ends
    throw;
  }
}

}  // namespace

Action add_run_command(CLI::App& app) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App& command = *app.add_subcommand("run", "Run workflows and save their pictures");
  command.footer(kExamples);
  add_workflow_flags(command, flags->files, flags->settings,
                     "Set an input before the run: <node id or title>.<input>=value, or =@file; may be repeated");
  command
      .add_option("--report", flags->report,
                  "Write what ran, how long it took and what was saved as JSON; - for stdout")
      ->type_name("FILE");
  command
      .add_option("--trace", flags->trace,
                  "Write where the time went as a timeline for ui.perfetto.dev (Chrome's trace format)")
      ->type_name("FILE");
  command
      .add_option("--preview-directory", flags->previews,
                  "Write what a sampler has so far to preview_<node>.png in this folder, while it runs")
      ->type_name("FOLDER");
  command.add_flag("--json", flags->json, "Print events as they come, one JSON object a line, an envelope at the end");
  command.add_flag("--watch", flags->watch, "Run again whenever a file changes, reusing what did not; Ctrl-C ends");
  command.add_flag("--dry-run", flags->dry_run,
                   "Check everything and list the nodes that would run, without running them");
  command.add_flag("-q,--quiet", flags->quiet, "No progress and no summary on stderr");
  flags->runtime.add_folder_flags(command);
  flags->runtime.add_run_flags(command);
  return [flags] { return run(*flags); };
}

}  // namespace refrain::cli
