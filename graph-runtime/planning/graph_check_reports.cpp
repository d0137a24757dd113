// The wording of what GraphCheck finds: ComfyUI's type, message and details, and more where people need more.

#include <algorithm>
#include <utility>

#include "graph/shorten.hpp"
#include "json/json_document.hpp"
#include "json/json_writer.hpp"
#include "json/python_text.hpp"
#include "planning/graph_check.hpp"
#include "planning/python_literal.hpp"
#include "planning/suggestion.hpp"

namespace refrain {
namespace {

constexpr std::size_t kMostHints = 50;  // each costs a comparison with every name there is
constexpr std::size_t kMostCycleNodesShown = 12;

std::string port_type_text(const PortInfo& port) {
  if (!port.choices) return std::string(port.input->accepts.empty() ? port.input->type.name : port.input->accepts);
  if (port.choices->size() > kMostChoicesShown) return list_of_length(port.choices->size());
  return python_repr(std::span<const std::string>(*port.choices));
}

const char* python_type(JsonKind kind) {
  switch (kind) {
    case JsonKind::null: return "NoneType";
    case JsonKind::string: return "str";
    case JsonKind::array: return "list";
    case JsonKind::object: return "dict";
    case JsonKind::real: return "float";
    default: return "int";
  }
}

// What Python raises for prompt[node] or outputs[slot], where `text` is a list of a node and a slot that are no link.
std::string python_link_error(const WorkflowGraph& graph, const std::string& text) {
  const JsonDocument document = JsonDocument::parse(text, "link");
  auto element = document.root().begin();
  const JsonView node = *element;
  const JsonView slot = *++element;
  if (node.is(JsonKind::array) || node.is(JsonKind::object)) {
    return std::string("unhashable type: '") + python_type(node.kind()) + "'";
  }
  if (!node.is(JsonKind::string)) return python_str(node);
  if (!graph.index.contains(node.string())) return python_repr(node.string());
  const bool is_number = slot.is(JsonKind::unsigned_integer) || slot.is(JsonKind::big_integer);
  if (is_number) return "cannot fit 'int' into an index-sized integer";
  return std::string("tuple indices must be integers or slices, not ") + python_type(slot.kind());
}

std::string link_json(const LinkRef& link) {
  return JsonWriter(JsonWriter::Style::python).begin_array().value(link.node).value(link.slot).end_array().take();
}

}  // namespace

void GraphCheck::report_unknown_type(std::uint32_t node) {
  const GraphNode& written = graph_.nodes[node];
  const std::string message = written.has_class_type
                                  ? "Cannot execute because node " + written.class_type + " does not exist."
                                  : "Cannot execute because a node is missing the class_type property.";
  Diagnostic& diagnostic =
      findings_.add_to_node(node, diagnostic_type::kInvalidPrompt, message, "Node ID '#" + written.id + "'");
  if (!written.has_class_type) return;
  diagnostic.position = written.class_type_position;
  diagnostic.json_pointer += "/class_type";
  if (hints_++ >= kMostHints) return;
  if (class_names_.empty()) {
    for (const NodeType* known : registry_.types()) class_names_.push_back(known->schema.name);
  }
  diagnostic.hint = did_you_mean(written.class_type, class_names_);
}

void GraphCheck::report_cycle(const std::vector<std::uint32_t>& cycle) {
  // Begins with the node that comes first in the file, whichever the search met first.
  const auto first = static_cast<std::size_t>(std::min_element(cycle.begin(), cycle.end()) - cycle.begin());
  const auto node_at = [&](std::size_t i) { return cycle[(first + i) % cycle.size()]; };
  std::string path;
  for (std::size_t i = 0; i < std::min(cycle.size(), kMostCycleNodesShown); ++i) {
    path += shorten(graph_.nodes[node_at(i)].id, 60) + " -> ";
  }
  if (cycle.size() > kMostCycleNodesShown) path += "... -> ";
  path += shorten(graph_.nodes[node_at(0)].id, 60);

  const std::vector<GraphInput>& inputs = graph_.nodes[node_at(0)].inputs;
  const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const GraphInput& candidate) {
    const auto* link = std::get_if<LinkRef>(&candidate.value);
    return link && link->target == node_at(1);
  });
  findings_.add_to_input(node_at(0), static_cast<std::uint32_t>(input - inputs.begin()), nullptr,
                         diagnostic_type::kDependencyCycle, "Dependency cycle detected", path);
}

void GraphCheck::report_literal(const Place& place, LiteralProblem problem) {
  Diagnostic& diagnostic = problem.type == diagnostic_type::kExceptionDuringValidation
                               ? report_exception(place, std::move(problem.details))
                               : report_at(place, problem.type, std::move(problem.message), std::move(problem.details));
  diagnostic.choices = place.port->choices;
  diagnostic.received_value = std::move(problem.received_value);
  diagnostic.exception_message = std::move(problem.exception_message);
  diagnostic.explanation = std::move(problem.explanation);
  diagnostic.hint = std::move(problem.hint);
  if (diagnostic.type != diagnostic_type::kValueNotInList || !diagnostic.hint.empty() || hints_++ >= kMostHints) return;
  const InputValue& given = graph_.nodes[place.node].inputs[place.position].value;
  if (const auto* text = std::get_if<std::string>(&given)) {
    diagnostic.hint = did_you_mean(*text, place.port->sorted_choices);
  }
}

void GraphCheck::report_malformed_link(const Place& place, const MalformedLink& link) {
  const std::string& name = place.port->input->name;
  if (link.size != 2) {
    Diagnostic& diagnostic = report_at(place, diagnostic_type::kBadLinkedInput,
                                       "Bad linked input, must be a length-2 list of [node_id, slot_index]", name);
    diagnostic.received_value = link.text;
    diagnostic.choices = place.port->choices;
    return;
  }
  std::string raised = python_link_error(graph_, link.text);
  Diagnostic& diagnostic = report_exception(place, raised);
  diagnostic.exception_message = std::move(raised);
  diagnostic.explanation =
      name + " has the bad link " + shorten(link.text, 80) + "; a link is written [\"node id\", number of the output]";
  diagnostic.linked_node = link.text;
}

void GraphCheck::report_missing_source(const Place& place, const LinkRef& link) {
  report_broken_link(
      place, link, python_repr(std::string_view(link.node)),
      "links to node " + python_repr(std::string_view(shorten(link.node, 60))) + ", which does not exist");
}

void GraphCheck::report_missing_slot(const Place& place, const LinkRef& link, const TypeInfo& from) {
  const std::size_t slots = from.outputs.size();
  report_broken_link(place, link, "tuple index out of range",
                     "links to output " + std::to_string(link.slot) + " of node " + shorten(link.node, 60) + " (" +
                         from.type->schema.name + "), which has " + std::to_string(slots) +
                         (slots == 1 ? " output" : " outputs") + "; they count from 0");
}

void GraphCheck::report_broken_link(const Place& place, const LinkRef& link, std::string details,
                                    const std::string& explanation) {
  Diagnostic& diagnostic = report_exception(place, details);
  diagnostic.exception_message = std::move(details);
  diagnostic.explanation = diagnostic.input_name + " " + explanation;
  diagnostic.linked_node = link_json(link);
}

void GraphCheck::report_mismatch(const Place& place, const LinkRef& link, std::string_view received) {
  if (place.port->kind == PortKind::combo) types_.list_choices(*place.port);
  std::string details = place.port->input->name + ", received_type(" + std::string(received) +
                        ") mismatch input_type(" + port_type_text(*place.port) + ")";
  Diagnostic& diagnostic = report_at(place, diagnostic_type::kReturnTypeMismatch,
                                     "Return type mismatch between linked nodes", std::move(details));
  diagnostic.received_type = received;
  diagnostic.linked_node = link_json(link);
  diagnostic.choices = place.port->choices;
}

void GraphCheck::report_custom(std::uint32_t node, const TypeInfo& info, const std::string& problem) {
  const std::string name = problem.substr(0, problem.find(" - "));
  const std::vector<GraphInput>& inputs = graph_.nodes[node].inputs;
  const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const GraphInput& i) { return i.name == name; });
  const Input* declared = info.type->schema.find_input(name);
  const char* const type = diagnostic_type::kCustomValidationFailed;
  const char* const message = "Custom validation failed for node";
  if (input != inputs.end()) {
    findings_.add_to_input(node, static_cast<std::uint32_t>(input - inputs.begin()), declared, type, message, problem);
    return;
  }
  Diagnostic& diagnostic = findings_.add_to_node(node, type, message, problem);
  diagnostic.input_name = name;
  diagnostic.input = declared;
}

// ComfyUI tells what goes wrong at an output node from what goes wrong further up.
Diagnostic& GraphCheck::report_exception(const Place& place, std::string details) {
  if (is_output(place.node)) {
    return report_at(place, diagnostic_type::kExceptionDuringValidation, "Exception when validating node",
                     std::move(details));
  }
  return report_at(place, diagnostic_type::kExceptionDuringInnerValidation, "Exception when validating inner node",
                   std::move(details));
}

Diagnostic& GraphCheck::report_exception(std::uint32_t node, std::string details) {
  if (is_output(node)) {
    return findings_.add_to_node(node, diagnostic_type::kExceptionDuringValidation, "Exception when validating node",
                                 std::move(details));
  }
  return findings_.add_to_node(node, diagnostic_type::kExceptionDuringInnerValidation,
                               "Exception when validating inner node", std::move(details));
}

Diagnostic& GraphCheck::report_at(const Place& place, const char* type, std::string message, std::string details) {
  return findings_.add_to_input(place.node, place.position, place.port ? place.port->input : nullptr, type,
                                std::move(message), std::move(details));
}

bool GraphCheck::is_output(std::uint32_t node) const { return node_types_[node] && node_types_[node]->is_output; }

}  // namespace refrain
