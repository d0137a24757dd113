#include "execution/plan_layout.hpp"

namespace refrain {

void PlanLayout::build(const ExecutionPlan& plan, NodeTraitsTable& traits) {
  traits_.clear();
  for (const NodeType* type : plan.types()) traits_.push_back(&traits.of(*type));
  const std::span<const PlannedNode> planned_nodes = plan.nodes();
  const std::span<const PlannedInput> planned_inputs = plan.inputs();
  nodes.resize(planned_nodes.size());
  inputs.resize(planned_inputs.size());
  Input* const begin = inputs.data();
  for (std::size_t n = 0; n < planned_nodes.size(); ++n) {
    const PlannedNode& planned = planned_nodes[n];
    const std::uint32_t end = planned.first_input + planned.input_count;
    bool has_lazy = false;
    bool ordered = true;
    std::int32_t last_port = -1;  // that of undeclared inputs, whose order is not known
    for (std::uint32_t i = planned.first_input; i != end; ++i) {
      const PlannedInput& input = planned_inputs[i];
      const bool lazy = input.lazy && input.source >= 0;
      begin[i] = {static_cast<std::uint32_t>(input.source), static_cast<std::uint32_t>(input.slot), input.port, lazy,
                  false};
      has_lazy |= lazy;
      ordered &= input.port > last_port;
      last_port = input.port;
    }
    nodes[n] = {traits_[planned.type_number], planned.first_input, end, planned.output, has_lazy, ordered};
  }
}

}  // namespace refrain
