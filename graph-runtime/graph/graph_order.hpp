#pragma once
// The order in which nodes can run, and the cycles that forbid one. Iterative: a chain may be as long as memory allows.

#include <cstdint>
#include <span>
#include <vector>

#include "graph/workflow_graph.hpp"

namespace refrain {

/// Nodes reachable against the links from some roots.
struct GraphOrder {
  /// Positions of nodes, every source before its readers: in the order of the file where that is such an order (memory
  /// is then read from front to back); otherwise each root's missing ancestors right before it, in the order of its
  /// inputs.
  std::vector<std::uint32_t> nodes;
  /// Each closed walk found, as positions of nodes from reader to source; a node that links to itself is one of
  /// length 1. At least one of every knot, at most kMostCycles.
  std::vector<std::vector<std::uint32_t>> cycles;

  static constexpr std::size_t kMostCycles = 20;
};

/// Orders what `roots` need. The graph must be indexed. Links to missing nodes are skipped, as is the link that closes
/// a cycle.
GraphOrder order_from(const WorkflowGraph& graph, std::span<const std::uint32_t> roots);

}  // namespace refrain
