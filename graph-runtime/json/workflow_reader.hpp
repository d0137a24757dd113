#pragma once
// A workflow's text becomes a graph.

#include <string_view>

#include "graph/workflow_graph.hpp"

namespace refrain {

/// Reads a workflow in ComfyUI's API format, or the body of a POST to its /prompt, or the `prompt` text of a PNG file.
/// `source_name` is for messages only. Of members with one name the last counts, as in Python.
/// Throws WorkflowReadError: workflow_invalid_json, workflow_not_api_format, workflow_empty, prompt_rejected.
WorkflowGraph parse_workflow(std::string_view text, std::string_view source_name);

}  // namespace refrain
