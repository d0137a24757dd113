#pragma once
// Setting options on all items of a conditioning.

#include <refrain/payloads.hpp>

#include <map>
#include <string>
#include <string_view>

namespace refrain {

using ConditioningOptions = std::map<std::string, ConditioningItem::Option, std::less<>>;

/// A copy whose items have these options, whatever they had under these names before.
Conditioning with_options(const Conditioning& conditioning, const ConditioningOptions& options);

/// The first item, of which a node takes the tokens, as ComfyUI's do. Throws NodeError when there is none.
const ConditioningItem& single_item(const Conditioning& conditioning, std::string_view input);

}  // namespace refrain
