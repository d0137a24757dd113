#include "planning/dependents.hpp"

#include <algorithm>

namespace refrain {

std::vector<std::vector<std::string>> dependent_outputs(const WorkflowGraph& graph,
                                                        std::span<const std::uint32_t> order,
                                                        std::span<const std::uint32_t> outputs,
                                                        std::span<const std::uint32_t> nodes) {
  constexpr std::size_t kBlock = 64;  // bits of a mask
  std::vector<std::vector<std::string>> result(nodes.size());
  std::vector<std::uint64_t> needs(graph.nodes.size());  // which nodes of the block a node depends on
  std::size_t room = kMostDependentIds;
  for (std::size_t first = 0; first < std::min(nodes.size(), kMostDependentNodes); first += kBlock) {
    const std::size_t size = std::min(kBlock, nodes.size() - first);
    std::fill(needs.begin(), needs.end(), 0);
    for (std::size_t bit = 0; bit < size; ++bit) needs[nodes[first + bit]] |= std::uint64_t{1} << bit;
    for (std::uint32_t node : order) {
      for (std::uint32_t source : graph.sources_of(node)) needs[node] |= needs[source];
    }
    for (std::uint32_t output : outputs) {
      for (std::size_t bit = 0; bit < size; ++bit) {
        if ((needs[output] >> bit & 1) == 0 || room == 0) continue;
        result[first + bit].push_back(graph.nodes[output].id);
        --room;
      }
    }
  }
  return result;
}

}  // namespace refrain
