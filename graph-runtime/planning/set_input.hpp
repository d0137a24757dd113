#pragma once
// Changing a literal of a workflow from outside: `--set 3.seed=7`.

#include <string_view>

#include "graph/workflow_graph.hpp"
#include "plugins/registry.hpp"

namespace refrain {

/// Sets the input that `target` names, "id.input" or "title.input", to `value_text`: JSON where it is valid JSON
/// (`["4", 0]` is a link), else a string; for a port of type STRING or COMBO everything but a JSON string is taken as
/// it stands. The value replaces a link too, and is converted to the port's type at validation. With a registry, inputs
/// that the file leaves out may be set. Throws WorkflowReadError (setting_rejected) when the node or the input does not
/// exist (near names are listed) or when several nodes have the title (their ids are listed).
void set_input(WorkflowGraph& graph, const Registry* registry, std::string_view target, std::string_view value_text);

}  // namespace refrain
