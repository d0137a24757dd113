#pragma once
// Checks a workflow against the node types that are there. The only maker of an execution plan.

#include <refrain/host.hpp>

#include <memory>
#include <optional>
#include <vector>

#include "planning/diagnostic.hpp"
#include "planning/execution_plan.hpp"

namespace refrain {

/// A plan, or everything that forbids one.
struct ValidationResult {
  std::optional<ExecutionPlan> plan;    ///< set if and only if there are no diagnostics
  std::vector<Diagnostic> diagnostics;  ///< in the order of the text
};

/// Checks as ComfyUI 0.3.64 does (execution.py, validate_prompt), but names every bad input of every node at once and
/// accepts a workflow only as a whole. A missing or unknown class anywhere is an error; all else counts only for nodes
/// that an output needs. Literals are converted as Python's int(), float(), str() and bool() would.
class Validator {
 public:
  /// Both must outlive the validator and its plans.
  Validator(const Registry& registry, Host& host) : registry_(registry), host_(host) {}

  /// `graph` must be indexed, as the reader leaves it. Never throws for what is in it. The choices of combos are listed
  /// anew on every call.
  ValidationResult validate(std::shared_ptr<const WorkflowGraph> graph) const;

 private:
  const Registry& registry_;
  Host& host_;
};

}  // namespace refrain
