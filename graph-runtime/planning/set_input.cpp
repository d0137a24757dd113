#include "planning/set_input.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph_index.hpp"
#include "graph/shorten.hpp"
#include "graph/workflow_error.hpp"
#include "json/input_value.hpp"
#include "json/json_document.hpp"
#include "json/python_text.hpp"
#include "planning/suggestion.hpp"

namespace refrain {
namespace {

constexpr std::size_t kMostNamesListed = 20;

[[noreturn]] void fail(const WorkflowGraph& graph, std::string_view target, const std::string& message) {
  throw WorkflowReadError("setting_rejected", {graph.source_name, {}, {}},
                          "cannot set " + python_repr(shorten(target, 80)) + ": " + message);
}

std::string list_names(std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamesListed); ++i) {
    text += (i == 0 ? "" : ", ") + shorten(names[i], 60);
  }
  if (names.size() > kMostNamesListed) text += ", ... (" + std::to_string(names.size()) + " in all)";
  return text;
}

std::string hint_or_list(std::string_view given, std::span<const std::string_view> names) {
  const std::string hint = did_you_mean(given, names);
  return hint.empty() ? "there are: " + list_names(names) : hint;
}

// The node of that id, else the only one of that title.
std::optional<std::uint32_t> find_node(const WorkflowGraph& graph, std::string_view name, std::string_view target) {
  if (const auto found = graph.index.find(name); found != graph.index.end()) return found->second;
  std::vector<std::string_view> ids;
  std::optional<std::uint32_t> match;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].title != name || name.empty()) continue;
    match = i;
    ids.push_back(graph.nodes[i].id);
  }
  if (ids.size() > 1) {
    fail(graph, target,
         std::to_string(ids.size()) + " nodes have the title " + python_repr(shorten(name, 60)) +
             "; name one by its id: " + list_names(ids));
  }
  return match;
}

[[noreturn]] void fail_without_node(const WorkflowGraph& graph, std::string_view target, std::string_view node) {
  std::vector<std::string_view> names;
  for (const GraphNode& candidate : graph.nodes) {
    names.push_back(candidate.id);
    if (!candidate.title.empty()) names.push_back(candidate.title);
  }
  fail(graph, target,
       "no node has the id or title " + python_repr(shorten(node, 60)) + "; " + hint_or_list(node, names));
}

[[noreturn]] void fail_without_input(const WorkflowGraph& graph, std::string_view target, const GraphNode& node,
                                     const NodeType* type, std::string_view input) {
  std::vector<std::string_view> names;
  for (const GraphInput& candidate : node.inputs) names.push_back(candidate.name);
  if (type) {
    for (const Input& declared : type->schema.inputs) {
      const bool listed = std::find(names.begin(), names.end(), declared.name) != names.end();
      if (!declared.hidden && !listed) names.push_back(declared.name);
    }
  }
  const std::string node_name = shorten(node.id, 60) + " (" + shorten(node.class_type, 60) + ")";
  if (names.empty()) fail(graph, target, "node " + node_name + " has no inputs");
  fail(graph, target,
       "node " + node_name + " has no input " + python_repr(shorten(input, 60)) + "; " + hint_or_list(input, names));
}

// A text port takes "1e3" or "true" as they are written; elsewhere they are JSON.
InputValue parse_value(std::string_view text, const Input* declared) {
  const bool takes_text = declared && (declared->choice || declared->type.name == "STRING");
  try {
    const JsonDocument document = JsonDocument::parse(text, "value");
    const JsonView value = document.root();
    const bool is_link = value.is(JsonKind::array) && value.size() == 2;
    if (!takes_text || value.is(JsonKind::string) || is_link) return input_value(value);
  } catch (const WorkflowError&) {
    // Not JSON: a plain string.
  }
  return std::string(text);
}

}  // namespace

void set_input(WorkflowGraph& graph, const Registry* registry, std::string_view target, std::string_view value_text) {
  if (target.find('.') == target.npos) {
    fail(graph, target, "a target is written <node id or title>.<input>, 3.seed say");
  }
  // Ids and titles may hold dots, and so may the names of inputs: the longest node name that exists wins.
  for (std::size_t dot = target.rfind('.'); dot != target.npos;
       dot = dot == 0 ? target.npos : target.rfind('.', dot - 1)) {
    const std::optional<std::uint32_t> index = find_node(graph, target.substr(0, dot), target);
    if (!index) continue;
    const std::string_view name = target.substr(dot + 1);
    GraphNode& node = graph.nodes[*index];
    const NodeType* type = registry ? registry->find(node.class_type) : nullptr;
    const Input* declared = type ? type->schema.find_input(name) : nullptr;
    if (declared && declared->hidden) declared = nullptr;
    auto input =
        std::find_if(node.inputs.begin(), node.inputs.end(), [&](const GraphInput& i) { return i.name == name; });
    if (input == node.inputs.end()) {
      if (!declared) fail_without_input(graph, target, node, type, name);
      input = node.inputs.insert(node.inputs.end(), GraphInput{std::string(name), {}, {}});
      if (!node.has_inputs && !node.members.empty()) node.members.push_back({"inputs", {}});
      node.has_inputs = true;
    }
    input->value = parse_value(value_text, declared);
    input->position = {};
    index_graph(graph);
    return;
  }
  fail_without_node(graph, target, target.substr(0, target.rfind('.')));
}

}  // namespace refrain
