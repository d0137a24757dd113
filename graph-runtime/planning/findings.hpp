#pragma once
// Collects what is wrong during one validation.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/workflow_graph.hpp"
#include "planning/diagnostic.hpp"

namespace refrain {

/// The diagnostics of one graph, with their places. References stay valid until the next one is added.
class Findings {
 public:
  explicit Findings(const WorkflowGraph& graph) : graph_(graph) {}

  bool empty() const { return found_.empty(); }
  std::size_t size() const { return found_.size(); }

  /// The workflow as a whole.
  Diagnostic& add_to_workflow(const char* type, std::string message);
  /// A node as a whole, or the port of that position which the file does not mention.
  Diagnostic& add_to_node(std::uint32_t node, const char* type, std::string message, std::string details,
                          std::uint32_t missing_port = 0);
  /// An input that the file has: the one at `position` of the node's inputs.
  Diagnostic& add_to_input(std::uint32_t node, std::uint32_t position, const Input* declared, const char* type,
                           std::string message, std::string details);

  /// All of them in the order of the text, with the outputs that depend on each; see dependent_outputs().
  std::vector<Diagnostic> take(std::span<const std::uint32_t> order, std::span<const std::uint32_t> outputs);

 private:
  struct Found {
    std::uint32_t node;
    std::uint32_t rank;  // within the node: its inputs in the order of the file, then what is missing
    Diagnostic diagnostic;
    bool of_workflow = false;
  };

  Diagnostic& add(std::uint32_t node, std::uint32_t rank, const char* type, std::string message, std::string details);
  void locate(Diagnostic& diagnostic, std::uint32_t node) const;

  const WorkflowGraph& graph_;
  std::vector<Found> found_;
};

}  // namespace refrain
