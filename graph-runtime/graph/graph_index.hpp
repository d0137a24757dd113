#pragma once
// Finding a node by its id, and the source of a link without a search.

#include "graph/workflow_graph.hpp"

namespace refrain {

/// Fills `graph.index`, the `target` of every link, and the compact lists of links. To be called again after any change
/// of nodes or links; of two nodes with one id the first is found (the reader has merged them before).
void index_graph(WorkflowGraph& graph);

}  // namespace refrain
