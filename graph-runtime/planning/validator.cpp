#include "planning/validator.hpp"

#include <utility>

#include "planning/graph_check.hpp"

namespace refrain {

ValidationResult Validator::validate(std::shared_ptr<const WorkflowGraph> graph) const {
  PlanParts parts;
  ValidationResult result;
  result.diagnostics = GraphCheck(registry_, host_, *graph).run(parts);
  if (!result.diagnostics.empty()) return result;
  ExecutionPlan plan;
  plan.graph_ = std::move(graph);
  plan.nodes_ = std::move(parts.nodes);
  plan.types_ = std::move(parts.types);
  plan.inputs_ = std::move(parts.inputs);
  plan.literals_ = std::move(parts.literals);
  plan.outputs_ = std::move(parts.outputs);
  result.plan = std::move(plan);
  return result;
}

}  // namespace refrain
