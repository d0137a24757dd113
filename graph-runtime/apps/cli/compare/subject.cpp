#include "compare/subject.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace refrain::cli {
namespace {

const NodeType* type_of(const GraphNode& node, const Registry& registry) { return registry.find(node.class_type); }

const LinkRef* link_of(const GraphInput& input) {
  const auto* link = std::get_if<LinkRef>(&input.value);
  return link != nullptr && link->target != LinkRef::kUnresolved ? link : nullptr;
}

bool has_output(const Schema& schema, std::string_view type) {
  return std::any_of(schema.outputs.begin(), schema.outputs.end(),
                     [&](const Output& output) { return output.type.name == type; });
}

bool takes(const Schema& schema, std::string_view type) {
  return std::any_of(schema.inputs.begin(), schema.inputs.end(),
                     [&](const Input& input) { return !input.widget && !input.hidden && input.type.name == type; });
}

bool is_sampler(const Schema& schema) {
  return has_output(schema, "LATENT") && (takes(schema, "MODEL") || takes(schema, "GUIDER"));
}

/// The LATENT of a sampler that a node takes, if it takes one.
std::optional<OutputPort> sampled_latent(const WorkflowGraph& graph, const Registry& registry, const GraphNode& node) {
  for (const GraphInput& input : node.inputs) {
    const LinkRef* link = link_of(input);
    const NodeType* type = link != nullptr ? type_of(graph.nodes[link->target], registry) : nullptr;
    if (type == nullptr || !is_sampler(type->schema)) continue;
    const auto slot = static_cast<std::size_t>(link->slot);
    if (slot < type->schema.outputs.size() && type->schema.outputs[slot].type.name == "LATENT") {
      return OutputPort{link->node, slot};
    }
  }
  return {};
}

/// A node and everything that it needs, the node first, then by distance.
std::vector<std::uint32_t> needed_by(const WorkflowGraph& graph, std::uint32_t node) {
  std::vector<std::uint32_t> found{node};
  std::vector<bool> seen(graph.nodes.size());
  seen[node] = true;
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const std::uint32_t source : graph.sources_of(found[i])) {
      if (!seen[source]) {
        seen[source] = true;
        found.push_back(source);
      }
    }
  }
  return found;
}

/// The link through which an output node takes its picture.
const LinkRef* picture_link(const GraphNode& node, const Schema& schema) {
  for (const GraphInput& input : node.inputs) {
    const Input* declared = schema.find_input(input.name);
    if (declared != nullptr && declared->type.name == "IMAGE") {
      if (const LinkRef* link = link_of(input)) return link;
    }
  }
  return nullptr;
}

/// The samplers, and whatever takes something from them on any way.
void find_fresh(const WorkflowGraph& graph, const std::vector<std::uint32_t>& needed, Subject& subject) {
  std::vector<std::vector<std::uint32_t>> readers(graph.nodes.size());
  std::vector<std::uint32_t> queue;
  for (const std::uint32_t node : needed) {
    for (const std::uint32_t source : graph.sources_of(node)) readers[source].push_back(node);
    if (subject.samplers.contains(graph.nodes[node].id)) queue.push_back(node);
  }
  while (!queue.empty()) {
    const std::uint32_t node = queue.back();
    queue.pop_back();
    if (!subject.fresh.insert(graph.nodes[node].id).second) continue;
    queue.insert(queue.end(), readers[node].begin(), readers[node].end());
  }
}

void find_inputs(const GraphNode& node, const Schema& schema, Subject& subject) {
  for (const GraphInput& input : node.inputs) {
    const Input* declared = schema.find_input(input.name);
    if (declared == nullptr) continue;
    const auto* whole = std::get_if<std::int64_t>(&input.value);
    if (declared->type.name == "MODEL" && link_of(input) != nullptr && !has_output(schema, "MODEL")) {
      subject.models.push_back({node.id, input.name});
    } else if (input.name == "seed" || input.name == "noise_seed") {
      const auto* large = std::get_if<std::uint64_t>(&input.value);
      if (subject.seeds.empty() && whole != nullptr) subject.seed = static_cast<std::uint64_t>(*whole);
      if (subject.seeds.empty() && large != nullptr) subject.seed = *large;
      subject.seeds.push_back({node.id, input.name});
    } else if (whole != nullptr && declared->type.name == "INT" &&
               (input.name == "steps" || input.name == "start_at_step" || input.name == "end_at_step" ||
                (input.name == "step" && has_output(schema, "SIGMAS")))) {
      subject.steps.push_back({node.id, input.name});
      if (input.name == "steps") subject.step_count = std::max(subject.step_count, *whole);
    }
  }
}

/// The subject behind one output node, or nothing when no sampler made its picture.
std::optional<Subject> behind(const WorkflowGraph& graph, const Registry& registry, std::uint32_t output) {
  const GraphNode& node = graph.nodes[output];
  const NodeType* type = type_of(node, registry);
  const LinkRef* picture =
      type != nullptr && type->schema.role == Role::output ? picture_link(node, type->schema) : nullptr;
  if (picture == nullptr) return {};
  Subject subject;
  subject.output = node.id;
  subject.picture = {picture->node, static_cast<std::size_t>(picture->slot)};
  const std::vector<std::uint32_t> needed = needed_by(graph, output);
  for (const std::uint32_t index : needed) {
    const NodeType* needed_type = type_of(graph.nodes[index], registry);
    if (needed_type == nullptr) continue;
    const Schema& schema = needed_type->schema;
    if (is_sampler(schema)) subject.samplers.insert(graph.nodes[index].id);
    if (!subject.latent) subject.latent = sampled_latent(graph, registry, graph.nodes[index]);
    find_inputs(graph.nodes[index], schema, subject);
  }
  find_fresh(graph, needed, subject);
  if (subject.samplers.empty()) return {};
  return subject;
}

std::string list_outputs(const WorkflowGraph& graph, const Registry& registry) {
  std::string list;
  for (const GraphNode& node : graph.nodes) {
    const NodeType* type = type_of(node, registry);
    if (type != nullptr && type->schema.role == Role::output) {
      list += fmt::format("{}{} ({})", list.empty() ? "" : ", ", node.id, node.class_type);
    }
  }
  return list.empty() ? "there is no output node" : "output nodes: " + list;
}

}  // namespace

Subject find_subject(const WorkflowGraph& graph, const Registry& registry, const std::string& image_node) {
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    if (!image_node.empty() && graph.nodes[i].id != image_node && graph.nodes[i].title != image_node) continue;
    if (auto subject = behind(graph, registry, i)) return std::move(*subject);
  }
  throw ValidationError(
      "nothing_to_compare",
      fmt::format("{}: {} takes a picture that a sampler has made; {}. "
                  "--image names the SaveImage or PreviewImage node to compare",
                  graph.source_name, image_node.empty() ? "no node" : "no node called \"" + image_node + "\"",
                  list_outputs(graph, registry)));
}

}  // namespace refrain::cli
