#include <refrain/errors.hpp>
#include <refrain/runtime.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cstring>
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "device_check.hpp"
#include "exit_code.hpp"
#include "interrupt.hpp"
#include "planning/execution_plan.hpp"
#include "run_observer.hpp"
#include "run_report_file.hpp"
#include "runtime_flags.hpp"
#include "workflow_file.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
Examples:
  refrain run workflow.json
  refrain run workflow.json --set 3.seed=7 --set "Empty Latent Image.width=768"
  refrain run ComfyUI_00001_.png            the workflow that a picture carries
  generate-workflow | refrain run - --report report.json
  refrain run a.json b.json                 the model is loaded once

The names of saved files go to stdout, everything else to stderr.
Exit codes: 0 done, 1 failed, 2 invalid input, nothing was executed, 130 interrupted.)";

struct RunFlags {
  RuntimeFlags runtime;
  std::vector<std::string> files;
  std::vector<std::string> settings;
  std::string report;
  bool dry_run = false;
  bool quiet = false;
};

/// A workflow that has passed all checks, with its name.
struct Job {
  std::string source;
  CheckedWorkflow checked;
};

/// All workflows, or nothing when one of them is wrong: then every one was reported.
std::vector<Job> check_all(const Runtime& runtime, const RunFlags& flags) {
  std::vector<Job> jobs;
  bool good = true;
  for (const std::string& file : flags.files) {
    try {
      Workflow workflow = open_workflow(runtime, file, flags.settings);
      jobs.push_back({file == "-" ? "<stdin>" : file, runtime.check(std::move(workflow))});
      const auto& diagnostics = jobs.back().checked.diagnostics();
      if (!diagnostics.empty() || !jobs.back().checked.runnable()) {
        good = false;
        print_diagnostics(jobs.back().source, diagnostics);
      }
    } catch (const WorkflowError&) {
      good = false;
      report_exception();
    }
  }
  if (!good) {
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

/// Runs the jobs in order; a failed one does not keep the next from running, an interrupted one does.
int run_all(Runtime& runtime, const std::vector<Job>& jobs, const RunFlags& flags, const CancelToken& cancel) {
  int code = kDone;
  ReportFile report_file(flags.report);
  for (const Job& job : jobs) {
    RunReport report;
    {
      ProgressDisplay display(stderr, ProgressDisplay::style_of(stderr));
      ConsoleObserver observer(display, flags.quiet);
      report = runtime.run(job.checked, {&observer, &cancel});
    }
    report_file.add(job.source, report);
    if (!report_file.to_stdout()) {
      for (const std::filesystem::path& file : saved_files(report, runtime.options())) {
        fmt::print("{}\n", file.string());
      }
      std::fflush(stdout);
    }
    if (!flags.quiet) {
      print_summary(job, report);
    }
    code = report.outcome == RunOutcome::done ? code : code_for(report.outcome);
    if (report.outcome == RunOutcome::cancelled) {
      break;
    }
  }
  report_file.write();
  return code;
}

int run(const RunFlags& flags) {
  CancelToken cancel;
  const InterruptWatch watch([&cancel] {
    cancel.cancel();
    print_note("\nstopping after this step; Ctrl-C again kills");
  });
  require_device(flags.runtime.device);
  Runtime runtime(flags.runtime.options());
  warn_of_refused(runtime.plugins());
  const std::vector<Job> jobs = check_all(runtime, flags);
  if (jobs.empty()) {
    return kInvalid;
  }
  if (flags.dry_run) {
    for (const Job& job : jobs) {
      print_plan(job);
    }
    return kDone;
  }
  return run_all(runtime, jobs, flags, cancel);
}

}  // namespace

Action add_run_command(CLI::App& app) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App& command = *app.add_subcommand("run", "Run workflows and save their pictures");
  command.footer(kExamples);
  add_workflow_flags(command, flags->files, flags->settings,
                     "Set an input before the run: <node id or title>.<input>=value; may be repeated");
  command
      .add_option("--report", flags->report,
                  "Write what ran, how long it took and what was saved as JSON; - for stdout")
      ->type_name("FILE");
  command.add_flag("--dry-run", flags->dry_run,
                   "Check everything and list the nodes that would run, without running them");
  command.add_flag("-q,--quiet", flags->quiet, "No progress and no summary on stderr");
  flags->runtime.add_folder_flags(command);
  flags->runtime.add_run_flags(command);
  return [flags] { return run(*flags); };
}

}  // namespace refrain::cli
