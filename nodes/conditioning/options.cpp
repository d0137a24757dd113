#include "options.hpp"

#include <refrain/errors.hpp>

namespace refrain {

Conditioning with_options(const Conditioning& conditioning, const ConditioningOptions& options) {
  Conditioning changed = conditioning;
  for (ConditioningItem& item : changed.items) {
    // An area is given in one of two ways; the later one holds.
    if (options.contains("area")) item.options.erase("area_shares");
    if (options.contains("area_shares")) item.options.erase("area");
    for (const auto& [key, value] : options) item.options.insert_or_assign(key, value);
  }
  return changed;
}

const ConditioningItem& single_item(const Conditioning& conditioning, std::string_view input) {
  if (conditioning.items.empty()) {
    throw NodeError("empty_conditioning", "input " + std::string(input) + ": it is empty; connect a prompt");
  }
  return conditioning.items.front();
}

}  // namespace refrain
