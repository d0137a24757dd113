#include "execution/node_traits.hpp"

#include <refrain/payloads.hpp>

#include <string>
#include <variant>

namespace refrain {

namespace {

/// The default as the value that the port would have got from the workflow; no value when there is none.
Value default_value(const Input& input) {
  return std::visit(
      [](const auto& literal) {
        using T = std::decay_t<decltype(literal)>;
        if constexpr (std::is_same_v<T, std::monostate>)
          return Value();
        else
          return Value::make<T>(literal);
      },
      input.value);
}

void add_hidden(const Input& input, NodeTraits& traits) {
  if (input.name == Prompt::kTypeName)
    traits.hidden.push_back({input.name, HiddenInput::prompt});
  else if (input.name == ExtraPngInfo::kTypeName)
    traits.hidden.push_back({input.name, HiddenInput::extra_png_info});
  else if (input.name == UniqueId::kTypeName)
    traits.hidden.push_back({input.name, HiddenInput::unique_id});
  if (input.name == UniqueId::kTypeName)
    traits.own_identity = true;
  else
    traits.sees_workflow = true;
}

}  // namespace

NodeObject make_node(const NodeType& type) { return NodeObject(type.entry->create(), NodeDeleter{type.entry}); }

std::unique_ptr<NodeTraits> NodeTraitsTable::make(const NodeType& type) {
  auto traits = std::make_unique<NodeTraits>();
  traits->type = &type;
  traits->outputs = type.schema.outputs.size();
  traits->takes_lists = type.schema.takes_lists();
  traits->own_identity = !type.schema.idempotent;
  if (traits->overrides(abi::kStateless)) traits->stateless = make_node(type);
  for (std::size_t i = 0; i < type.schema.inputs.size(); ++i) {
    const Input& input = type.schema.inputs[i];
    const auto port = static_cast<std::int32_t>(i);
    traits->ports.push_back(input.name);
    if (input.hidden) add_hidden(input, *traits);
    if (input.optional && input.widget)
      if (Value value = default_value(input)) traits->defaults.push_back({port, input.name, std::move(value)});
    if (!input.choice || !input.choices.fixed.empty()) continue;
    traits->files.push_back(
        {port, input.choices.computed ? std::string_view("input") : std::string_view(input.choices.folder)});
  }
  return traits;
}

}  // namespace refrain
