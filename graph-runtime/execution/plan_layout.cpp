#include "execution/plan_layout.hpp"

namespace refrain {

void PlanLayout::build(const ExecutionPlan& plan, NodeTraitsTable& traits) {
  nodes.resize(plan.nodes().size());
  inputs.resize(plan.inputs().size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const PlannedInput& planned = plan.inputs()[i];
    inputs[i] = {planned.source < 0 ? kLiteral : static_cast<std::uint32_t>(planned.source),
                 static_cast<std::uint32_t>(planned.slot), planned.port, planned.lazy && planned.source >= 0, false};
  }
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const PlannedNode& planned = plan.nodes()[n];
    const std::uint32_t end = planned.first_input + planned.input_count;
    Node node{&traits.of(*planned.type), planned.first_input, end, planned.output, false, true};
    std::int32_t last_port = -1;  // that of undeclared inputs, whose order is not known
    for (std::uint32_t i = node.inputs; i != end; last_port = inputs[i++].port) {
      node.has_lazy = node.has_lazy || inputs[i].lazy;
      node.ordered = node.ordered && inputs[i].port > last_port;
    }
    nodes[n] = node;
  }
}

}  // namespace refrain
