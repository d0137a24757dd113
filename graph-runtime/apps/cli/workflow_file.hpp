#pragma once
// Workflows as they are given to the command: a file, a picture that carries one, standard input.

#include <refrain/runtime.hpp>

#include <string>
#include <vector>

namespace refrain::cli {

/// The text of a workflow and where it came from.
struct WorkflowText {
  std::string source;  ///< the file's name, or <stdin>
  std::string json;
  std::string ui_workflow;    ///< the UI's own graph, when a picture brought it along
  bool from_picture = false;  ///< it may be older than the nodes
};

/// Reads `name`, or standard input for "-". A PNG gives what ComfyUI put into it.
/// Throws WorkflowError (workflow_not_found, workflow_unreadable, workflow_no_prompt) with the remedy.
WorkflowText read_workflow_text(const std::string& name);

/// Reads and parses a workflow, gives that of a picture the inputs that its nodes have got since it was saved, at their
/// defaults, and applies `settings`, each "<id or title>.<input>=value"; a value "@file" is the text
/// of that file, "@@..." one that begins with "@". Throws WorkflowError.
Workflow open_workflow(const Runtime& runtime, const std::string& name, const std::vector<std::string>& settings);

/// The files that settings take their values from.
std::vector<std::string> setting_files(const std::vector<std::string>& settings);

}  // namespace refrain::cli
