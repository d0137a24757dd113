#pragma once
// A checked workflow, ready to run. Only the validator makes one, so the executor never sees an unchecked graph.

#include <refrain/value.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/workflow_graph.hpp"
#include "plugins/registry.hpp"

namespace refrain {

/// One input of a planned node: a literal, already converted to the port's type, or a link to an earlier node. Hidden
/// inputs are not listed: the executor fills them in. Literals lie apart, since most inputs of a large graph are links.
struct PlannedInput {
  std::string_view name;
  std::int32_t port = -1;    ///< index into the type's schema.inputs; -1: an undeclared link, passed on as ComfyUI does
  std::int32_t source = -1;  ///< index of the node it comes from; -1: a literal
  std::int32_t slot = 0;     ///< output of the source; of a literal its place in the plan, see ExecutionPlan::literal()
  bool lazy = false;         ///< computed only when the node asks for it
};

struct PlannedNode {
  const NodeType* type = nullptr;
  std::string_view id;     ///< as in the file
  std::string_view title;  ///< `_meta.title`, else the class type
  std::uint32_t first_input = 0;
  std::uint32_t input_count = 0;
  std::uint32_t type_number = 0;  ///< of `type` in ExecutionPlan::types()
  bool output = false;            ///< an output node: always runs
};

class Validator;

/// Nodes in an order in which every source comes before its readers (lazy links included).
/// Nodes that no output needs are left out. Views stay valid as long as the plan.
class ExecutionPlan {
 public:
  std::span<const PlannedNode> nodes() const { return nodes_; }
  /// Every type that the workflow names, once each.
  std::span<const NodeType* const> types() const { return types_; }
  std::span<const PlannedInput> inputs(const PlannedNode& node) const {
    return {inputs_.data() + node.first_input, node.input_count};
  }
  /// The inputs of all nodes in a row; PlannedNode::first_input counts in here.
  std::span<const PlannedInput> inputs() const { return inputs_; }
  /// The value of an input whose source is -1.
  const Value& literal(const PlannedInput& input) const { return literals_[static_cast<std::size_t>(input.slot)]; }
  /// Indexes of the output nodes, in the order of the file.
  std::span<const std::uint32_t> outputs() const { return outputs_; }
  const WorkflowGraph& graph() const { return *graph_; }
  /// The workflow as ComfyUI writes it into PNG files (Python's json.dumps of the prompt after coercion); made on first
  /// use.
  const std::string& prompt_json() const;

 private:
  friend class Validator;
  ExecutionPlan() = default;
  std::shared_ptr<const WorkflowGraph> graph_;
  std::vector<PlannedNode> nodes_;
  std::vector<const NodeType*> types_;
  std::vector<PlannedInput> inputs_;
  std::vector<Value> literals_;
  std::vector<std::uint32_t> outputs_;
  mutable std::string prompt_json_;
};

}  // namespace refrain
