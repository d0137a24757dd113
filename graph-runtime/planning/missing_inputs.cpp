#include "planning/missing_inputs.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace refrain {
namespace {

InputValue default_of(const Input& input) {
  InputValue value = std::visit([](const auto& literal) -> InputValue { return literal; }, input.value);
  if (std::holds_alternative<std::monostate>(value) && !input.choices.fixed.empty()) {
    value = input.choices.fixed.front();
  }
  return value;
}

}  // namespace

void fill_in_missing_inputs(WorkflowGraph& graph, const Registry& registry) {
  for (GraphNode& node : graph.nodes) {
    const NodeType* type = registry.find(node.class_type);
    if (type == nullptr || !node.has_inputs) continue;
    for (const Input& input : type->schema.inputs) {
      if (!input.widget || input.hidden || input.optional) continue;
      if (std::ranges::find(node.inputs, input.name, &GraphInput::name) != node.inputs.end()) continue;
      InputValue value = default_of(input);
      if (!std::holds_alternative<std::monostate>(value)) node.inputs.push_back({input.name, std::move(value), {}});
    }
  }
}

}  // namespace refrain
