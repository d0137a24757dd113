#include "compare/graph_edit.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <unordered_set>
#include <variant>

#include "graph/graph_index.hpp"
#include "planning/set_input.hpp"

namespace refrain::cli {
namespace {

constexpr int kDeepestNesting = 16;

/// Which input of a policy node takes the model, which the policy; the slot that hands the model on.
struct ModelHook {
  const NodeType* type = nullptr;
  std::string model_input;
  std::string policy_input;  ///< empty: the node is the policy itself
  std::int64_t slot = 0;
};

std::optional<std::int64_t> slot_of(const Schema& schema, std::string_view type) {
  const auto found = std::find_if(schema.outputs.begin(), schema.outputs.end(),
                                  [&](const Output& output) { return output.type.name == type; });
  if (found == schema.outputs.end()) return {};
  return found - schema.outputs.begin();
}

/// What the node is as a hook, when it can be put before a sampler without any other link.
std::optional<ModelHook> as_hook(const NodeType& type) {
  const auto slot = slot_of(type.schema, "MODEL");
  if (!slot) return {};
  ModelHook hook{&type, {}, {}, *slot};
  for (const Input& input : type.schema.inputs) {
    if (input.widget || input.hidden) continue;
    if (input.type.name == "MODEL" && hook.model_input.empty()) {
      hook.model_input = input.name;
    } else if (input.type.name == "CACHE_POLICY" && hook.policy_input.empty()) {
      hook.policy_input = input.name;
    } else if (!input.optional) {
      return {};
    }
  }
  if (hook.model_input.empty()) return {};
  return hook;
}

std::optional<ModelHook> find_applying_node(const Registry& registry) {
  for (const NodeType* type : registry.types()) {
    if (auto hook = as_hook(*type); hook && !hook->policy_input.empty()) return hook;
  }
  return {};
}

ModelHook applying_node(const Registry& registry) {
  if (auto hook = find_applying_node(registry)) return *hook;
  throw ValidationError("unknown_policy",
                        "--policy: no node here puts a CACHE_POLICY on a MODEL; the library \"caching\" that has "
                        "ApplyCachePolicy was not loaded. refrain plugins says why");
}

/// Whether a node puts a cache on a model: one that takes both, or one that its library has besides (EasyCache).
bool is_cache(const ModelHook& hook, const Registry& registry) {
  const auto applying = find_applying_node(registry);
  return applying && (!hook.policy_input.empty() || hook.type->library == applying->type->library);
}

/// Leads what reads a cached model to the model itself, past every cache between them.
void take_out_caches(WorkflowGraph& graph, const Registry& registry) {
  std::map<std::string, LinkRef> bare;  // by the cache's id
  for (const GraphNode& node : graph.nodes) {
    const NodeType* type = registry.find(node.class_type);
    const auto hook = type != nullptr ? as_hook(*type) : std::nullopt;
    if (!hook || !is_cache(*hook, registry)) continue;
    for (const GraphInput& input : node.inputs) {
      const auto* link = std::get_if<LinkRef>(&input.value);
      if (link != nullptr && input.name == hook->model_input) bare.emplace(node.id, *link);
    }
  }
  for (GraphNode& node : graph.nodes) {
    for (GraphInput& input : node.inputs) {
      auto* link = std::get_if<LinkRef>(&input.value);
      // No more often than there are caches: a graph that is not checked yet may have a circle of them.
      for (std::size_t i = 0; link != nullptr && bare.contains(link->node) && i < bare.size(); ++i) {
        *link = LinkRef(bare.at(link->node));
      }
    }
  }
  index_graph(graph);
}

[[noreturn]] void refuse(const Registry& registry, const PolicySpec& policy) {
  std::string policies;
  for (const NodeType* type : registry.types()) {
    if (slot_of(type->schema, "CACHE_POLICY")) policies += (policies.empty() ? "" : ", ") + type->schema.name;
  }
  throw ValidationError(
      "unknown_policy",
      fmt::format("--policy {}: {}. Policies are: {}; and nodes that take a MODEL and give one", policy.text,
                  registry.find(policy.type) == nullptr
                      ? fmt::format("there is no node \"{}\"", policy.type)
                      : fmt::format("{} gives neither a CACHE_POLICY nor a MODEL of a MODEL", policy.type),
                  policies));
}

GraphNode& add_node(WorkflowGraph& graph, std::string id, const std::string& type) {
  GraphNode& node = graph.nodes.emplace_back();
  node.id = std::move(id);
  node.class_type = type;
  node.has_class_type = node.has_inputs = true;
  return node;
}

GraphInput link_to(std::string input, std::string node, std::int64_t slot) {
  return {std::move(input), LinkRef{std::move(node), slot}, {}};
}

/// Settings that nobody names have their defaults, also where a workflow would have to bring them. A choice without a
/// default has its first entry, as in ComfyUI.
void add_defaults(GraphNode& node, const NodeType& type) {
  for (const Input& input : type.schema.inputs) {
    if (!input.widget || input.hidden) continue;
    InputValue value = std::visit([](const auto& literal) -> InputValue { return literal; }, input.value);
    if (std::holds_alternative<std::monostate>(value) && !input.choices.fixed.empty())
      value = input.choices.fixed.front();
    if (!std::holds_alternative<std::monostate>(value)) node.inputs.push_back({input.name, std::move(value), {}});
  }
}

/// Adds a policy's node, its settings, and the policies that these hold in parentheses; gives its id.
std::string add_policy(WorkflowGraph& graph, const Registry& registry, const PolicySpec& policy, int depth) {
  if (depth > kDeepestNesting) {
    throw ValidationError("bad_policy",
                          fmt::format("--policy: more than {} policies within each other", kDeepestNesting));
  }
  const NodeType* type = registry.find(policy.type);
  if (type == nullptr || (depth > 0 && !slot_of(type->schema, "CACHE_POLICY"))) refuse(registry, policy);
  const std::string id = fmt::format("compare.policy.{}", graph.nodes.size());
  add_defaults(add_node(graph, id, policy.type), *type);
  index_graph(graph);
  for (const auto& [input, value] : policy.settings) {
    const Input* declared = type->schema.find_input(input);
    std::string_view inside;
    if (declared != nullptr && declared->type.name == "CACHE_POLICY" && is_nested_policy(value, inside)) {
      const std::string nested = add_policy(graph, registry, parse_policy(inside), depth + 1);
      graph.nodes[graph.index.at(id)].inputs.push_back(link_to(input, nested, 0));
      index_graph(graph);
    } else {
      set_input(graph, &registry, id + "." + input, value);
    }
  }
  return id;
}

/// What has to stand between a model and those that sample with it.
struct Inserted {
  ModelHook hook;
  std::string policy;  ///< id of the policy's node; empty: the hook is the policy
};

void insert_at(WorkflowGraph& graph, const Registry& registry, const Inserted& inserted, const PolicySpec& policy,
               const InputPort& at, std::map<std::pair<std::string, std::int64_t>, std::string>& placed) {
  GraphNode& reader = graph.nodes[graph.index.at(at.node)];
  const auto input = std::find_if(reader.inputs.begin(), reader.inputs.end(),
                                  [&](const GraphInput& candidate) { return candidate.name == at.name; });
  const LinkRef source = std::get<LinkRef>(input->value);
  auto [found, is_new] = placed.try_emplace({source.node, source.slot});
  if (is_new) found->second = fmt::format("compare.apply.{}", graph.nodes.size());
  input->value = LinkRef{found->second, inserted.hook.slot};
  if (!is_new) return index_graph(graph);
  GraphNode& node = add_node(graph, found->second, inserted.hook.type->schema.name);
  node.inputs.push_back(link_to(inserted.hook.model_input, source.node, source.slot));
  if (!inserted.policy.empty()) {
    node.inputs.push_back(link_to(inserted.hook.policy_input, inserted.policy, 0));
  }
  index_graph(graph);
  if (inserted.policy.empty()) {
    add_defaults(graph.nodes[graph.index.at(found->second)], *inserted.hook.type);
    for (const auto& [name, value] : policy.settings) set_input(graph, &registry, found->second + "." + name, value);
  }
}

}  // namespace

void keep_only(WorkflowGraph& graph, const Subject& subject) {
  std::unordered_set<std::uint32_t> needed{graph.index.at(subject.output)};
  std::vector<std::uint32_t> queue(needed.begin(), needed.end());
  while (!queue.empty()) {
    const std::uint32_t node = queue.back();
    queue.pop_back();
    for (const std::uint32_t source : graph.sources_of(node)) {
      if (needed.insert(source).second) queue.push_back(source);
    }
  }
  std::vector<GraphNode> kept;
  for (std::uint32_t i = 0; i < graph.nodes.size(); ++i) {
    if (needed.contains(i)) kept.push_back(std::move(graph.nodes[i]));
  }
  graph.nodes = std::move(kept);
  index_graph(graph);
}

void set_seed(WorkflowGraph& graph, const Registry& registry, const Subject& subject, std::uint64_t seed) {
  for (const InputPort& port : subject.seeds) {
    set_input(graph, &registry, port.node + "." + port.name, std::to_string(seed));
  }
}

void set_steps(WorkflowGraph& graph, const Registry& registry, const Subject& subject, std::int64_t steps) {
  const double share = static_cast<double>(steps) / static_cast<double>(subject.step_count);
  for (const InputPort& port : subject.steps) {
    const GraphNode& node = graph.nodes[graph.index.at(port.node)];
    const auto input = std::find_if(node.inputs.begin(), node.inputs.end(),
                                    [&](const GraphInput& candidate) { return candidate.name == port.name; });
    const std::int64_t whole = std::get<std::int64_t>(input->value);
    // Beyond the last step means "to the end", and stays so.
    if (port.name == "end_at_step" && whole >= subject.step_count) continue;
    const auto scaled = static_cast<std::int64_t>(std::llround(static_cast<double>(whole) * share));
    set_input(graph, &registry, port.node + "." + port.name,
              std::to_string(port.name == "steps" ? std::max<std::int64_t>(scaled, 1) : scaled));
  }
}

void insert_policy(WorkflowGraph& graph, const Registry& registry, const Subject& subject, const PolicySpec& policy) {
  const NodeType* type = registry.find(policy.type);
  if (type == nullptr) refuse(registry, policy);
  Inserted inserted;
  if (slot_of(type->schema, "CACHE_POLICY")) {
    inserted.hook = applying_node(registry);
    inserted.policy = add_policy(graph, registry, policy, 0);
  } else if (const auto hook = as_hook(*type); hook && hook->policy_input.empty()) {
    inserted.hook = *hook;
  } else {
    refuse(registry, policy);
  }
  if (is_cache(inserted.hook, registry)) take_out_caches(graph, registry);
  std::map<std::pair<std::string, std::int64_t>, std::string> placed;  // one node for each model
  for (const InputPort& port : subject.models) insert_at(graph, registry, inserted, policy, port, placed);
}

}  // namespace refrain::cli
