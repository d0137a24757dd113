#include "graph/graph_index.hpp"

namespace refrain {
namespace {

std::uint32_t position_of(const WorkflowGraph& graph, const std::string& id) {
  auto found = graph.index.find(id);
  return found == graph.index.end() ? LinkRef::kUnresolved : found->second;
}

}  // namespace

void index_graph(WorkflowGraph& graph) {
  graph.index.clear();
  graph.index.reserve(graph.nodes.size());
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) graph.index.emplace(graph.nodes[i].id, i);
  graph.link_sources.clear();
  graph.first_link.assign(1, 0);
  graph.first_link.reserve(graph.nodes.size() + 1);
  for (GraphNode& node : graph.nodes) {
    for (GraphInput& input : node.inputs) {
      auto* const link = std::get_if<LinkRef>(&input.value);
      if (!link) continue;
      link->target = position_of(graph, link->node);
      if (link->target != LinkRef::kUnresolved) graph.link_sources.push_back(link->target);
    }
    graph.first_link.push_back(static_cast<std::uint32_t>(graph.link_sources.size()));
  }
}

}  // namespace refrain
