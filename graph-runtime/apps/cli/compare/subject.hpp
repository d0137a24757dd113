#pragma once
// What of a workflow is compared: its picture, the latent before it, the samplers that made it.

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "graph/workflow_graph.hpp"
#include "plugins/registry.hpp"

namespace refrain::cli {

/// An output of a node, or an input, by the node's id.
struct OutputPort {
  std::string node;
  std::size_t slot = 0;
};
struct InputPort {
  std::string node;
  std::string name;
};

/// Found by the types of ports alone, so that nodes of anybody's serve.
struct Subject {
  std::string output;                        ///< the output node that takes the picture
  OutputPort picture;                        ///< an IMAGE
  std::optional<OutputPort> latent;          ///< the LATENT of a sampler that is read nearest to the picture
  std::unordered_set<std::string> samplers;  ///< nodes that take a MODEL or GUIDER and give a LATENT
  std::unordered_set<std::string> fresh;     ///< the samplers and everything that depends on them
  std::vector<InputPort> seeds;              ///< inputs called seed or noise_seed
  std::vector<InputPort> models;             ///< linked MODEL inputs of nodes that don't hand the model on
  std::vector<InputPort>
      steps;               ///< literal inputs called steps, start_at_step or end_at_step; step, where SIGMAS are cut
  std::uint64_t seed = 0;  ///< the workflow's own
  std::int64_t step_count = 0;  ///< the largest `steps`; 0: none is a literal, so the run can't be shortened
};

/// `image_node`: the id or title of the output node to take; empty: the first that a sampler's picture reaches.
/// Throws ValidationError (nothing_to_compare) that says what is missing and lists the output nodes.
Subject find_subject(const WorkflowGraph& graph, const Registry& registry, const std::string& image_node);

}  // namespace refrain::cli
