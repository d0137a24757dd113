#include "planning/graph_check.hpp"

#include <refrain/node.hpp>

#include <exception>
#include <span>
#include <utility>

namespace refrain {

std::vector<Diagnostic> GraphCheck::run(PlanParts& parts) {
  resolve_types();
  if (outputs_.empty() && findings_.empty()) {
    findings_.add_to_workflow(diagnostic_type::kNoOutputs, "Prompt has no outputs").hint =
        "a workflow needs a node that saves or shows something, SaveImage say";
  }
  order_ = order_from(graph_, outputs_);
  for (const std::vector<std::uint32_t>& cycle : order_.cycles) report_cycle(cycle);
  parts_.nodes.reserve(order_.nodes.size());
  parts_.outputs.reserve(outputs_.size());
  planned_.assign(graph_.nodes.size(), -1);
  for (std::size_t i = 0; i < order_.nodes.size(); ++i) {
    fetch_ahead(i);
    check_node(order_.nodes[i]);
  }
  if (!findings_.empty()) return findings_.take(order_.nodes, outputs_);
  for (std::uint32_t output : outputs_) parts_.outputs.push_back(static_cast<std::uint32_t>(planned_[output]));
  parts_.types = types_.all();
  parts = std::move(parts_);
  return {};
}

/// Nodes and their inputs are strewn over memory as they were read: asks for those that come soon.
void GraphCheck::fetch_ahead(std::size_t place) const {
  constexpr std::size_t kNodesAhead = 12, kInputsAhead = 6;
  constexpr std::size_t kInputs = 2, kLine = 64;  // as many as most nodes have
  const std::size_t count = order_.nodes.size();
  if (place + kNodesAhead < count) {
    const char* node = reinterpret_cast<const char*>(&graph_.nodes[order_.nodes[place + kNodesAhead]]);
    for (std::size_t i = 0; i < sizeof(GraphNode); i += kLine) __builtin_prefetch(node + i);
  }
  if (place + kInputsAhead < count) {
    const GraphNode& node = graph_.nodes[order_.nodes[place + kInputsAhead]];
    const char* inputs = reinterpret_cast<const char*>(node.inputs.data());
    for (std::size_t i = 0; i < kInputs * sizeof(GraphInput); i += kLine) __builtin_prefetch(inputs + i);
  }
}

void GraphCheck::resolve_types() {
  node_types_.reserve(graph_.nodes.size());
  std::size_t input_count = 0;
  for (std::uint32_t i = 0; i < graph_.nodes.size(); ++i) {
    const GraphNode& node = graph_.nodes[i];
    TypeInfo* info = node.has_class_type ? types_.find(node.class_type) : nullptr;
    node_types_.push_back(info);
    input_count += node.inputs.size();
    if (!info)
      report_unknown_type(i);
    else if (info->is_output)
      outputs_.push_back(i);
  }
  parts_.inputs.reserve(input_count);
}

void GraphCheck::check_node(std::uint32_t index) {
  const GraphNode& node = graph_.nodes[index];
  TypeInfo* const info = node_types_[index];
  planned_[index] = static_cast<std::int32_t>(parts_.nodes.size());
  if (!info) {
    parts_.nodes.emplace_back();
    return;
  }
  const std::string& title = node.title.empty() ? node.class_type : node.title;
  const auto first_input = static_cast<std::uint32_t>(parts_.inputs.size());
  parts_.nodes.push_back({info->type, node.id, title, first_input, 0, info->number, info->is_output});
  if (!node.has_inputs) {
    report_exception(index, "'inputs'").explanation =
        "the node has no member \"inputs\"; an empty one is written \"inputs\": {}";
    return;
  }
  const std::size_t problems_before = findings_.size();
  given_ = 0;
  std::size_t expected = 0;
  std::uint32_t position = 0;
  for (const GraphInput& input : node.inputs) {
    const std::int32_t port = info->find_port(input.name, expected);
    if (port >= 0) expected = static_cast<std::size_t>(port) + 1;
    check_input({index, position++, port, port < 0 ? nullptr : &info->ports[static_cast<std::size_t>(port)]}, input);
  }
  if (given_ < info->ports.size()) complete(index, *info);
  if (info->validates) ask_node(index, *info, findings_.size() != problems_before);
  parts_.nodes.back().input_count = static_cast<std::uint32_t>(parts_.inputs.size()) - first_input;
}

void GraphCheck::check_input(const Place& place, const GraphInput& input) {
  if (place.port) {
    if (place.port->input->hidden) return;  // the runtime's to fill in, whatever the file says
    given_ += place.port->given_by != place.node;
    place.port->given_by = place.node;
  }
  if (const auto* link = std::get_if<LinkRef>(&input.value)) {
    check_link(place, input, *link);
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

void GraphCheck::check_link(const Place& place, const GraphInput& input, const LinkRef& link) {
  const std::uint32_t source = link.target;
  if (source == LinkRef::kUnresolved) return report_missing_source(place, link);
  if (const TypeInfo* const from = node_types_[source]) {
    if (link.slot < 0 || static_cast<std::uint64_t>(link.slot) >= from->outputs.size())
      return report_missing_slot(place, link, *from);
    const TypeNumber received = from->outputs[static_cast<std::size_t>(link.slot)];
    if (place.port && !types_.fits(received, place.port->type))
      return report_mismatch(place, link, types_.type_name(received));
  }
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
    if (port.given_by == node || input.hidden) continue;
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
