#pragma once
// Whether what a node says of itself holds together. Most of it is a compile error for those who use the SDK's ports;
// a library can be made without them.

#include <refrain/schema.hpp>

#include <string_view>

namespace refrain {

/// Throws PluginError at the first thing wrong, naming the node and the port: `bad_node_name`, `bad_port_name`,
/// `duplicate_port`, `bad_port_type`, `bad_limits`, `bad_default`, `no_choices`.
void check_schema(const Schema& schema);

/// A name of a node type: printable ASCII without quotes and backslashes, no space at its ends, at most 100 characters.
bool is_node_name(std::string_view name);
/// A name of a port: letters, digits, '_', '.' and '-', at most 100 characters.
bool is_port_name(std::string_view name);
/// A name of a payload type: "*", or capitals, digits and '_'.
bool is_type_name(std::string_view name);

}  // namespace refrain
