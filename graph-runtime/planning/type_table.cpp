#include "planning/type_table.hpp"

#include <algorithm>
#include <exception>
#include <set>

namespace refrain {
namespace {

constexpr std::size_t kManyPorts = 12;  // below, comparing names in turn is quicker than hashing one

PortKind kind_of(const Input& input) {
  if (input.choice) return PortKind::combo;
  const std::string_view name = input.type.name;
  if (name == "*") return PortKind::any;
  if (input.accepts != name) return PortKind::link_only;
  if (name == "INT") return PortKind::integer;
  if (name == "FLOAT") return PortKind::real;
  if (name == "STRING") return PortKind::text;
  if (name == "BOOLEAN") return PortKind::boolean;
  return PortKind::link_only;
}

std::set<std::string_view> split_types(std::string_view list) {
  std::set<std::string_view> types;
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view name = list.substr(0, comma);
    const std::size_t first = name.find_first_not_of(" \t\n");
    types.insert(first == name.npos ? std::string_view()
                                    : name.substr(first, name.find_last_not_of(" \t\n") - first + 1));
    if (comma == list.npos) return types;
    list.remove_prefix(comma + 1);
  }
}

bool have_common_type(std::string_view received, std::string_view wanted) {
  const std::set<std::string_view> types = split_types(received);
  const std::set<std::string_view> others = split_types(wanted);
  if (types.contains("*") || others.contains("*")) return true;
  return std::any_of(types.begin(), types.end(), [&](std::string_view type) { return others.contains(type); });
}

}  // namespace

std::int32_t TypeInfo::search_port(std::string_view name) const {
  if (!port_index.empty()) {
    const auto found = port_index.find(name);
    return found == port_index.end() ? -1 : found->second;
  }
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i].name == name) return static_cast<std::int32_t>(i);
  }
  return -1;
}

TypeInfo* TypeTable::look_up(const std::string& name) {
  auto [entry, is_new] = by_name_.try_emplace(name);
  if (is_new) {
    const NodeType* type = registry_.find(name);
    if (type) entry->second = prepare(*type);
  }
  last_name_ = &name;
  last_type_ = entry->second.get();
  return last_type_;
}

std::unique_ptr<TypeInfo> TypeTable::prepare(const NodeType& type) {
  auto info = std::make_unique<TypeInfo>();
  info->type = &type;
  info->number = static_cast<std::uint32_t>(all_.size());
  all_.push_back(&type);
  info->is_output = type.schema.role == Role::output;
  info->validates = type.entry && (type.entry->overrides & abi::kValidate) != 0;
  info->ports.resize(type.schema.inputs.size());
  for (std::size_t i = 0; i < info->ports.size(); ++i) {
    const Input& input = type.schema.inputs[i];
    info->ports[i].name = input.name;
    info->ports[i].input = &input;
    info->ports[i].type = number_of(input.accepts.empty() ? input.type.name : std::string_view(input.accepts));
    info->ports[i].kind = kind_of(input);
  }
  if (info->ports.size() > kManyPorts) {
    for (std::size_t i = 0; i < info->ports.size(); ++i) {
      info->port_index.emplace(info->ports[i].name, static_cast<std::int32_t>(i));
    }
  }
  for (const Output& output : type.schema.outputs) info->outputs.push_back(number_of(output.type.name));
  return info;
}

TypeNumber TypeTable::number_of(std::string_view type_name) {
  const auto [entry, is_new] = type_numbers_.try_emplace(type_name, static_cast<TypeNumber>(type_names_.size()));
  if (is_new) type_names_.push_back(type_name);
  return entry->second;
}

bool TypeTable::overlap(TypeNumber received, TypeNumber wanted) {
  const auto [entry, is_new] = fits_.try_emplace((std::uint64_t{received} << 32) | wanted);
  if (is_new) entry->second = have_common_type(type_names_[received], type_names_[wanted]);
  return entry->second;
}

bool TypeTable::list_choices(PortInfo& port) const {
  if (port.choices) return true;
  if (!port.choices_failure.empty()) return false;
  try {
    port.choices = std::make_shared<const Choices>(port.input->list_choices(host_));
    port.sorted_choices.assign(port.choices->begin(), port.choices->end());
    std::sort(port.sorted_choices.begin(), port.sorted_choices.end());
    return true;
  } catch (const std::exception& error) {
    port.choices_failure = error.what();
  } catch (...) {
    port.choices_failure = "unknown exception";
  }
  if (port.choices_failure.empty()) port.choices_failure = "unknown exception";
  return false;
}

}  // namespace refrain
