#include "plugins/registry.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace refrain {

const NodeType* Registry::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

void Registry::add(std::vector<std::unique_ptr<NodeType>> types) {
  if (sealed_) throw std::logic_error("Registry::add() after seal()");
  for (const auto& type : types) {
    if (by_name_.contains(type->schema.name)) throw std::logic_error("Registry::add(): duplicate " + type->schema.name);
  }
  for (auto& type : types) {
    const std::string_view name = type->schema.name;  // stays where it is: the map owns the object, not the name
    sorted_.push_back(type.get());
    by_name_.emplace(name, std::move(type));
  }
  std::sort(sorted_.begin(), sorted_.end(),
            [](const NodeType* a, const NodeType* b) { return a->schema.name < b->schema.name; });
}

void Registry::seal() { sealed_ = true; }

}  // namespace refrain
