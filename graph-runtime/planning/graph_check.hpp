#pragma once
// One validation: checks the nodes that the outputs need, and writes the parts of a plan on the way.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph_order.hpp"
#include "planning/execution_plan.hpp"
#include "planning/findings.hpp"
#include "planning/literal_check.hpp"
#include "planning/type_table.hpp"

namespace refrain {

/// What an execution plan is made of.
struct PlanParts {
  std::vector<PlannedNode> nodes;
  std::vector<const NodeType*> types;
  std::vector<PlannedInput> inputs;
  std::vector<Value> literals;
  std::vector<std::uint32_t> outputs;
};

/// Used once. Nothing is allocated for a node that is right, beyond the parts themselves.
class GraphCheck {
 public:
  GraphCheck(const Registry& registry, Host& host, const WorkflowGraph& graph)
      : registry_(registry), host_(host), graph_(graph), types_(registry, host), findings_(graph) {}

  /// Fills `parts`, which are complete only if nothing was found.
  std::vector<Diagnostic> run(PlanParts& parts);

 private:
  /// One input of the node under way; `port` is null when it is not declared.
  struct Place {
    std::uint32_t node;
    std::uint32_t position;
    std::int32_t port_index;
    PortInfo* port;
  };

  void resolve_types();
  void fetch_ahead(std::size_t place) const;
  void check_node(std::uint32_t index);
  void check_input(const Place& place, const GraphInput& input);
  void check_link(const Place& place, const GraphInput& input, const LinkRef& link);
  void complete(std::uint32_t node, TypeInfo& info);
  void add_literal(std::string_view name, std::int32_t port, Value value);
  void ask_node(std::uint32_t node, const TypeInfo& info, bool already_wrong);

  void report_unknown_type(std::uint32_t node);
  void report_cycle(const std::vector<std::uint32_t>& cycle);
  void report_literal(const Place& place, LiteralProblem problem);
  void report_malformed_link(const Place& place, const MalformedLink& link);
  void report_missing_source(const Place& place, const LinkRef& link);
  void report_missing_slot(const Place& place, const LinkRef& link, const TypeInfo& from);
  void report_broken_link(const Place& place, const LinkRef& link, std::string details, const std::string& explanation);
  void report_mismatch(const Place& place, const LinkRef& link, std::string_view received);
  void report_custom(std::uint32_t node, const TypeInfo& info, const std::string& problem);
  Diagnostic& report_exception(const Place& place, std::string details);
  Diagnostic& report_exception(std::uint32_t node, std::string details);
  Diagnostic& report_at(const Place& place, const char* type, std::string message, std::string details);
  bool is_output(std::uint32_t node) const;

  const Registry& registry_;
  Host& host_;
  const WorkflowGraph& graph_;
  TypeTable types_;
  Findings findings_;
  PlanParts parts_;
  std::vector<TypeInfo*> node_types_;   // by position in the graph; null: unknown
  std::vector<std::uint32_t> outputs_;  // positions in the graph
  GraphOrder order_;
  std::vector<std::int32_t> planned_;  // position in the plan, by position in the graph
  std::size_t given_ = 0;              // how many ports of the node under way the file mentions
  std::vector<std::string_view> class_names_;
  std::size_t hints_ = 0;
};

}  // namespace refrain
