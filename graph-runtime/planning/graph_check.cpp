#include "planning/graph_check.hpp"

#include <refrain/node.hpp>

#include <exception>
#include <span>
#include <utility>

#include "graph/shorten.hpp"
#include "json/python_text.hpp"

namespace refrain {

std::vector<Diagnostic> GraphCheck::run(PlanParts& parts) {
  resolve_types();
  if (outputs_.empty() && findings_.empty()) {
    findings_.add_to_workflow(diagnostic_type::kNoOutputs, "Prompt has no outputs").hint =
        "a workflow needs a node that saves or shows something, SaveImage say";
  }
  order_ = order_from(graph_, outputs_);
  for (const std::vector<std::uint32_t>& cycle : order_.cycles) report_cycle(cycle);
  reserve();
  for (std::uint32_t node : order_.nodes) check_node(node);
  if (!findings_.empty()) return findings_.take(order_.nodes, outputs_);
  for (std::uint32_t output : outputs_) parts_.outputs.push_back(static_cast<std::uint32_t>(planned_[output]));
  parts = std::move(parts_);
  return {};
}

void GraphCheck::resolve_types() {
  node_types_.reserve(graph_.nodes.size());
  for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
    const GraphNode& node = graph_.nodes[i];
    TypeInfo* info = node.has_class_type ? types_.find(node.class_type) : nullptr;
    node_types_.push_back(info);
    if (!info)
      report_unknown_type(i);
    else if (info->is_output)
      outputs_.push_back(i);
  }
}

void GraphCheck::reserve() {
  std::size_t input_count = 0;
  for (std::uint32_t node : order_.nodes) input_count += graph_.nodes[node].inputs.size();
  parts_.nodes.reserve(order_.nodes.size());
  parts_.inputs.reserve(input_count);
  parts_.outputs.reserve(outputs_.size());
  planned_.assign(graph_.nodes.size(), -1);
}

void GraphCheck::check_node(std::uint32_t index) {
  const GraphNode& node = graph_.nodes[index];
  TypeInfo* const info = node_types_[index];
  planned_[index] = static_cast<std::int32_t>(parts_.nodes.size());
  PlannedNode& planned = parts_.nodes.emplace_back();
  if (!info) return;
  planned.type = info->type;
  planned.id = node.id;
  planned.title = node.title.empty() ? node.class_type : node.title;
  planned.first_input = static_cast<std::uint32_t>(parts_.inputs.size());
  planned.output = info->is_output;
  if (!node.has_inputs) {
    report_exception(index, "'inputs'").explanation =
        "the node has no member \"inputs\"; an empty one is written \"inputs\": {}";
    return;
  }
  const std::size_t problems_before = findings_.size();
  given_.assign(info->ports.size(), false);
  std::size_t expected = 0;
  for (std::uint32_t i = 0; i < node.inputs.size(); ++i) {
    const std::int32_t port = info->find_port(node.inputs[i].name, expected);
    if (port >= 0) expected = static_cast<std::size_t>(port) + 1;
    check_input({index, i, port, port < 0 ? nullptr : &info->ports[static_cast<std::size_t>(port)]});
  }
  complete(index, *info);
  if (info->validates) ask_node(index, *info, findings_.size() != problems_before);
  PlannedNode& checked = parts_.nodes.back();
  checked.input_count = static_cast<std::uint32_t>(parts_.inputs.size()) - checked.first_input;
}

void GraphCheck::check_input(const Place& place) {
  const GraphInput& input = graph_.nodes[place.node].inputs[place.position];
  if (place.port) {
    if (place.port->input->hidden) return;  // the runtime's to fill in, whatever the file says
    given_[static_cast<std::size_t>(place.port_index)] = true;
  }
  if (const auto* link = std::get_if<LinkRef>(&input.value)) {
    check_link(place, *link);
  } else if (!place.port) {
    return;  // ComfyUI drops undeclared constants: "upload", "choose file to upload"
  } else if (const auto* malformed = std::get_if<MalformedLink>(&input.value)) {
    report_malformed_link(place, *malformed);
  } else {
    Value value;
    std::optional<LiteralProblem> problem = check_literal(types_, *place.port, input.value, value);
    if (problem)
      report_literal(place, std::move(*problem));
    else if (value)
      add_literal(input.name, place.port_index, std::move(value));
  }
}

void GraphCheck::check_link(const Place& place, const LinkRef& link) {
  const std::uint32_t source = link.target;
  if (source == LinkRef::kUnresolved) {
    report_broken_link(
        place, link, python_repr(std::string_view(link.node)),
        "links to node " + python_repr(std::string_view(shorten(link.node, 60))) + ", which does not exist");
    return;
  }
  if (const TypeInfo* const from = node_types_[source]) {
    const std::size_t slots = from->outputs.size();
    if (link.slot < 0 || static_cast<std::uint64_t>(link.slot) >= slots) {
      report_broken_link(place, link, "tuple index out of range",
                         "links to output " + std::to_string(link.slot) + " of node " + shorten(link.node, 60) + " (" +
                             from->type->schema.name + "), which has " + std::to_string(slots) +
                             (slots == 1 ? " output" : " outputs") + "; they count from 0");
      return;
    }
    const TypeNumber received = from->outputs[static_cast<std::size_t>(link.slot)];
    if (place.port && !types_.fits(received, place.port->type)) {
      report_mismatch(place, link, types_.type_name(received));
      return;
    }
  }
  const GraphInput& input = graph_.nodes[place.node].inputs[place.position];
  parts_.inputs.push_back({input.name, place.port_index, planned_[source], static_cast<std::int32_t>(link.slot),
                           place.port && place.port->input->lazy});
}

void GraphCheck::add_literal(std::string_view name, std::int32_t port, Value value) {
  parts_.inputs.push_back({name, port, -1, static_cast<std::int32_t>(parts_.literals.size()), false});
  parts_.literals.push_back(std::move(value));
}

// Names required inputs that are missing, and gives optional parameters that are missing their default.
void GraphCheck::complete(std::uint32_t node, TypeInfo& info) {
  for (std::size_t i = 0; i < info.ports.size(); ++i) {
    PortInfo& port = info.ports[i];
    const Input& input = *port.input;
    if (given_[i] || input.hidden) continue;
    if (!input.optional) {
      Diagnostic& diagnostic =
          findings_.add_to_node(node, diagnostic_type::kRequiredInputMissing, "Required input is missing", input.name,
                                static_cast<std::uint32_t>(i));
      diagnostic.input_name = input.name;
      diagnostic.input = &input;
      diagnostic.json_pointer += "/inputs";
    } else if (input.widget) {
      Value value = default_value(types_, port);
      if (value) add_literal(input.name, static_cast<std::int32_t>(i), std::move(value));
    }
  }
}

// Calls the node's own validate() with the literals that are right.
void GraphCheck::ask_node(std::uint32_t node, const TypeInfo& info, bool already_wrong) {
  std::vector<Slot> slots;
  for (std::size_t i = parts_.nodes.back().first_input; i < parts_.inputs.size(); ++i) {
    const PlannedInput& input = parts_.inputs[i];
    if (input.source >= 0) continue;
    slots.push_back({input.name, {&parts_.literals[static_cast<std::size_t>(input.slot)], 1}});
  }
  Frame frame;
  frame.host = &host_;
  frame.inputs = slots;
  frame.schema = &info.type->schema;
  std::vector<std::string> problems;
  std::string failure;
  try {
    Literals literals(frame, &problems);
    const std::unique_ptr<Node, void (*)(Node*)> instance(info.type->entry->create(), info.type->entry->destroy);
    instance->validate(literals);
  } catch (const std::exception& error) {
    failure = error.what();
  } catch (...) {
    failure = "unknown exception";
  }
  for (const std::string& problem : problems) report_custom(node, info, problem);
  if (!failure.empty() && !already_wrong) report_exception(node, failure).exception_message = failure;
}

}  // namespace refrain
