#pragma once
// The order in which nodes can run, and the cycles that forbid one. Iterative: a chain may be as long as memory allows.

#include <cstdint>
#include <span>
#include <vector>

#include "graph/workflow_graph.hpp"

namespace refrain {

/// Nodes reachable against the links from some roots.
struct GraphOrder {
  /// Positions of nodes, every source before its readers. Each root's missing ancestors come right before it, in the
  /// order of its inputs: what the first root needs is complete before work for the second begins.
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
