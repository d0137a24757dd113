#include <refrain/errors.hpp>
#include <refrain/runtime.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "exit_code.hpp"
#include "planning/execution_plan.hpp"
#include "runtime_flags.hpp"
#include "workflow_file.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
Examples:
  refrain validate workflow.json
  refrain validate workflows/*.json
  refrain validate --json workflow.json     the reply that ComfyUI's server would give

Exit codes: 0 all are valid, 2 one is not.)";

struct ValidateFlags {
  RuntimeFlags runtime;
  std::vector<std::string> files;
  std::vector<std::string> settings;
  bool json = false;
};

/// Whether the workflow is valid; says so, or what is wrong.
bool validate_one(const Runtime& runtime, const ValidateFlags& flags, const std::string& file) {
  const CheckedWorkflow checked = runtime.check(open_workflow(runtime, file, flags.settings));
  const bool good = checked.diagnostics().empty() && checked.runnable();
  if (flags.json) {
    fmt::print("{}\n", good ? R"({"node_errors":{}})" : to_json(checked.diagnostics()));
  } else if (good) {
    fmt::print("{}: valid, {} nodes, {} outputs\n", presentable(file), checked.plan().nodes().size(),
               checked.plan().outputs().size());
  } else {
    print_diagnostics(file, checked.diagnostics());
  }
  return good;
}

int validate(const ValidateFlags& flags) {
  const Runtime runtime(flags.runtime.options());
  warn_of_refused(runtime.plugins());
  int code = kDone;
  for (const std::string& file : flags.files) {
    try {
      code = validate_one(runtime, flags, file) ? code : kInvalid;
    } catch (const WorkflowError&) {
      code = report_exception();
    }
  }
  return code;
}

}  // namespace

Action add_validate_command(CLI::App& app) {
  auto flags = std::make_shared<ValidateFlags>();
  CLI::App& command = *app.add_subcommand("validate", "Check workflows without running them");
  command.footer(kExamples);
  add_workflow_flags(command, flags->files, flags->settings,
                     "Set an input first: <node id or title>.<input>=value; may be repeated");
  command.add_flag("--json", flags->json, "Print errors as ComfyUI's server does, one line of JSON for each workflow");
  flags->runtime.add_folder_flags(command);
  return [flags] { return validate(*flags); };
}

}  // namespace refrain::cli
