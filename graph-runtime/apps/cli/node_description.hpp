#pragma once
// A node type in words, for people at a terminal.

#include <string>

namespace refrain {
class Host;
struct NodeType;
}  // namespace refrain

namespace refrain::cli {

/// Name, category and help, then a line for each input (type, default, limits, choices) and output.
std::string describe_node(const NodeType& type, const Host& host);

}  // namespace refrain::cli
