#pragma once
// Which outputs suffer from a bad node: ComfyUI's `dependent_outputs`.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/workflow_graph.hpp"

namespace refrain {

/// Limits on what is listed: a hostile file could make every node a bad one and every node an output.
inline constexpr std::size_t kMostDependentNodes = 1024;
inline constexpr std::size_t kMostDependentIds = 1'000'000;

/// For each of `nodes` (distinct) the ids of those `outputs` that need it, itself included; nothing for nodes beyond
/// the limits. `order` has every source before its readers. Walks the graph once for every 64 nodes.
std::vector<std::vector<std::string>> dependent_outputs(const WorkflowGraph& graph,
                                                        std::span<const std::uint32_t> order,
                                                        std::span<const std::uint32_t> outputs,
                                                        std::span<const std::uint32_t> nodes);

}  // namespace refrain
