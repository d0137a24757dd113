#pragma once
// The node types as ComfyUI's /object_info describes them.

#include <refrain/host.hpp>

#include <span>
#include <string>

#include "json/json_writer.hpp"
#include "plugins/registry.hpp"

namespace refrain {

/// The map from class type to description, of the named types or, without names, of all. A name that is not registered
/// is left out, as in ComfyUI. Choices of combos are listed at this moment. Throws what a node's function of choices
/// throws.
std::string object_info(const Registry& registry, const Host& host, std::span<const std::string> names = {},
                        JsonWriter::Style style = JsonWriter::Style::compact);

/// Writes `[type, {options}]` of one input; `choices` are those of a combo. Without options it is `[type]`, unless
/// `always_options`: error records have them.
void write_input_spec(JsonWriter& json, const Input& input, const Choices* choices, bool always_options = false);

}  // namespace refrain
