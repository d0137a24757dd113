#include "planning/findings.hpp"

#include <algorithm>
#include <utility>

#include "graph/workflow_error.hpp"
#include "planning/dependents.hpp"

namespace refrain {

Diagnostic& Findings::add_to_workflow(const char* type, std::string message) {
  Diagnostic& diagnostic = add(0, 0, type, std::move(message), {});
  found_.back().of_workflow = true;
  diagnostic.json_pointer = graph_.root_pointer;
  return diagnostic;
}

Diagnostic& Findings::add_to_node(std::uint32_t node, const char* type, std::string message, std::string details,
                                  std::uint32_t missing_port) {
  const auto after_inputs = static_cast<std::uint32_t>(graph_.nodes[node].inputs.size()) + 1 + missing_port;
  Diagnostic& diagnostic = add(node, after_inputs, type, std::move(message), std::move(details));
  locate(diagnostic, node);
  return diagnostic;
}

Diagnostic& Findings::add_to_input(std::uint32_t node, std::uint32_t position, const Input* declared, const char* type,
                                   std::string message, std::string details) {
  const GraphInput& input = graph_.nodes[node].inputs[position];
  Diagnostic& diagnostic = add(node, position + 1, type, std::move(message), std::move(details));
  locate(diagnostic, node);
  diagnostic.input_name = input.name;
  diagnostic.input = declared;
  diagnostic.position = input.position;
  append_pointer_token(diagnostic.json_pointer, "inputs");
  append_pointer_token(diagnostic.json_pointer, input.name);
  return diagnostic;
}

std::vector<Diagnostic> Findings::take(std::span<const std::uint32_t> order, std::span<const std::uint32_t> outputs) {
  std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
    return std::pair(a.node, a.rank) < std::pair(b.node, b.rank);
  });
  std::vector<std::uint32_t> nodes;
  for (const Found& found : found_) {
    if (nodes.empty() || nodes.back() != found.node) nodes.push_back(found.node);
  }
  const std::vector<std::vector<std::string>> dependents = dependent_outputs(graph_, order, outputs, nodes);
  std::vector<Diagnostic> diagnostics;
  diagnostics.reserve(found_.size());
  std::size_t at = 0;
  for (Found& found : found_) {
    while (nodes[at] != found.node) ++at;
    if (!found.of_workflow) found.diagnostic.dependent_outputs = dependents[at];
    diagnostics.push_back(std::move(found.diagnostic));
  }
  found_.clear();
  return diagnostics;
}

Diagnostic& Findings::add(std::uint32_t node, std::uint32_t rank, const char* type, std::string message,
                          std::string details) {
  Diagnostic& diagnostic = found_.emplace_back(Found{node, rank, {}, false}).diagnostic;
  diagnostic.type = type;
  diagnostic.message = std::move(message);
  diagnostic.details = std::move(details);
  diagnostic.source_name = graph_.source_name;
  return diagnostic;
}

void Findings::locate(Diagnostic& diagnostic, std::uint32_t node) const {
  const GraphNode& written = graph_.nodes[node];
  diagnostic.node_id = written.id;
  diagnostic.class_type = written.class_type;
  diagnostic.title = written.title;
  diagnostic.position = written.position;
  diagnostic.json_pointer = graph_.root_pointer;
  append_pointer_token(diagnostic.json_pointer, written.id);
}

}  // namespace refrain
