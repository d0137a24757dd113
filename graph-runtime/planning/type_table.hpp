#pragma once
// The node types of one workflow, prepared so that checking a node takes no search: ports by position, types by number.

#include <refrain/host.hpp>
#include <refrain/value.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "graph/workflow_graph.hpp"
#include "plugins/registry.hpp"

namespace refrain {

/// How a literal is converted.
enum class PortKind : std::uint8_t { integer, real, text, boolean, combo, any, link_only };

/// Number of a type name (or of a list of names, "IMAGE,MASK") within one table.
using TypeNumber = std::uint32_t;

struct PortInfo {
  std::string_view name;
  const Input* input = nullptr;
  TypeNumber type = 0;
  PortKind kind = PortKind::link_only;
  std::int64_t given_by = -1;                    ///< the last node that mentioned it, as its position in the graph
  std::shared_ptr<const Choices> choices;        ///< of a combo, once they were needed
  std::vector<std::string_view> sorted_choices;  ///< the same, for looking up
  std::string choices_failure;                   ///< why they can't be listed
  const InputValue* last_literal = nullptr;      ///< the last literal accepted here, with what it became:
  Value last_value;                              ///< equal literals share a value
};

struct TypeInfo {
  const NodeType* type = nullptr;
  std::uint32_t number = 0;     ///< its place in TypeTable::all()
  std::vector<PortInfo> ports;  ///< as schema.inputs
  std::vector<TypeNumber> outputs;
  bool is_output = false;
  bool validates = false;  ///< the node overrides validate()

  /// Position of the port called `name`, or -1. `expected` is tried first: files mostly keep the schema's order.
  std::int32_t find_port(std::string_view name, std::size_t expected) const {
    if (expected < ports.size() && ports[expected].name == name) return static_cast<std::int32_t>(expected);
    return search_port(name);
  }
  std::int32_t search_port(std::string_view name) const;
  std::unordered_map<std::string_view, std::int32_t> port_index;  ///< only for types with many ports
};

/// Prepared types, made when first asked for.
class TypeTable {
 public:
  TypeTable(const Registry& registry, const Host& host) : registry_(registry), host_(host) {}
  const Host& host() const { return host_; }

  /// The type called `name`, or null.
  TypeInfo* find(const std::string& name) {
    return last_name_ && *last_name_ == name ? last_type_ : look_up(name);  // neighbours are often of one type
  }
  /// All types found, in the order of being asked for.
  const std::vector<const NodeType*>& all() const { return all_; }
  /// Whether a value of the type `received` may go to a port of the type `wanted`.
  bool fits(TypeNumber received, TypeNumber wanted) { return received == wanted || overlap(received, wanted); }
  std::string_view type_name(TypeNumber number) const { return type_names_[number]; }
  /// Lists the choices of a combo, once a table. False when the node's function failed: see choices_failure.
  bool list_choices(PortInfo& port) const;

 private:
  TypeInfo* look_up(const std::string& name);
  bool overlap(TypeNumber received, TypeNumber wanted);
  std::unique_ptr<TypeInfo> prepare(const NodeType& type);
  TypeNumber number_of(std::string_view type_name);

  const Registry& registry_;
  const Host& host_;
  std::unordered_map<std::string_view, std::unique_ptr<TypeInfo>> by_name_;  // views into the graph; null: unknown
  std::vector<const NodeType*> all_;
  std::unordered_map<std::string_view, TypeNumber> type_numbers_;
  std::vector<std::string_view> type_names_;
  std::unordered_map<std::uint64_t, bool> fits_;
  const std::string* last_name_ = nullptr;
  TypeInfo* last_type_ = nullptr;
};

}  // namespace refrain
