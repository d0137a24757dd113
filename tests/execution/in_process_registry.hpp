#pragma once
// A registry of node classes of this program, without a shared library: for tests and benchmarks.

#include <refrain/plugin.hpp>

#include <memory>
#include <string_view>
#include <vector>

#include "plugins/registry.hpp"

namespace refrain::testing {

template <class T>
std::unique_ptr<NodeType> in_process_type() {
  static constexpr abi::NodeEntry entry REFRAIN_ENTRY_(T);
  auto type = std::make_unique<NodeType>();
  entry.describe(type->schema);
  type->entry = &entry;
  type->library = "in-process";
  type->library_version = "1.0.0";
  type->identity = std::hash<std::string_view>{}(type->schema.name);
  return type;
}

/// A sealed registry of the classes `T...`.
template <class... T>
std::shared_ptr<const Registry> in_process_registry() {
  auto registry = std::make_shared<Registry>();
  std::vector<std::unique_ptr<NodeType>> types;
  (types.push_back(in_process_type<T>()), ...);
  registry->add(std::move(types));
  registry->seal();
  return registry;
}

}  // namespace refrain::testing
