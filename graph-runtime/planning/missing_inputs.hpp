#pragma once
// Workflows that are older than the nodes which they name.

#include "graph/workflow_graph.hpp"
#include "plugins/registry.hpp"

namespace refrain {

/// Gives the inputs that a node must have and that its entry leaves out their defaults, where they have one: the first
/// of a fixed list of choices without a default. Those of unknown nodes, those without a default and files stay out, so
/// that validation asks for them. As ComfyUI's editor does when it opens a workflow; its server does not.
void fill_in_missing_inputs(WorkflowGraph& graph, const Registry& registry);

}  // namespace refrain
