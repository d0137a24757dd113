#pragma once
// A plan as flat numbers. A run goes through them again and again, and so they fit the CPU's cache: a plan with its
// names, titles and literals takes some 250 bytes a node, this 60.

#include <cstdint>
#include <vector>

#include "execution/node_traits.hpp"
#include "planning/execution_plan.hpp"

namespace refrain {

/// Nodes and inputs under the plan's own indexes. Made anew for every run: Schedule marks inputs in it.
struct PlanLayout {
  static constexpr std::uint32_t kLiteral = 0xFFFFFFFFu;  // the plan's source -1

  struct Node {
    const NodeTraits* traits = nullptr;
    std::uint32_t inputs = 0, inputs_end = 0;  // in `inputs`
    bool output = false;
    bool has_lazy = false;
    bool ordered = true;  // the inputs follow each other as the ports do
  };
  struct Input {
    std::uint32_t source = kLiteral;  // the node it comes from; of equal nodes the one that runs
    std::uint32_t slot = 0;
    std::int32_t port = -1;
    bool lazy = false;
    bool asked = false;  // its source has been asked for
  };

  void build(const ExecutionPlan& plan, NodeTraitsTable& traits);

  std::vector<Node> nodes;
  std::vector<Input> inputs;

 private:
  std::vector<const NodeTraits*> traits_;  // by the plan's type numbers
};

}  // namespace refrain
