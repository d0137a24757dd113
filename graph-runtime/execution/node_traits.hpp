#pragma once
// What the executor needs to know of a node type, looked up once instead of for every node.

#include <refrain/value.hpp>

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "plugins/registry.hpp"

namespace refrain {

/// A hidden input, filled in by the executor.
enum class HiddenInput : std::uint8_t { prompt, extra_png_info, unique_id };

/// Deletes a node with its library's own function.
struct NodeDeleter {
  const abi::NodeEntry* entry = nullptr;
  void operator()(Node* node) const { entry->destroy(node); }
};
using NodeObject = std::unique_ptr<Node, NodeDeleter>;
NodeObject make_node(const NodeType& type);

struct NodeTraits {
  /// A parameter that the workflow may leave out.
  struct Default {
    std::int32_t port;
    std::string_view name;
    Value value;
  };
  struct Hidden {
    std::string_view name;
    HiddenInput kind;
  };
  /// A choice whose value may name a file.
  struct FileInput {
    std::int32_t port;
    std::string_view folder;
  };

  const NodeType* type = nullptr;
  std::size_t outputs = 0;
  bool takes_lists = false;             ///< one call with all values (ComfyUI's INPUT_IS_LIST)
  bool sees_workflow = false;           ///< PROMPT or EXTRA_PNGINFO: its result depends on everything
  bool own_identity = false;            ///< UNIQUE_ID, or not idempotent: equal nodes don't share a result
  std::vector<std::string_view> ports;  ///< names of the inputs; schemas spread over too much memory
  std::vector<Hidden> hidden;
  std::vector<Default> defaults;
  std::vector<FileInput> files;
  NodeObject stateless;  ///< serves every call of a type without members; null for the others

  bool overrides(std::uint32_t function) const { return (type->entry->overrides & function) != 0; }
};

/// The traits of node types, made when first asked for.
class NodeTraitsTable {
 public:
  const NodeTraits& of(const NodeType& type) {
    std::unique_ptr<NodeTraits>& traits = by_type_[&type];
    if (!traits) traits = make(type);
    return *traits;
  }

 private:
  static std::unique_ptr<NodeTraits> make(const NodeType& type);

  std::unordered_map<const NodeType*, std::unique_ptr<NodeTraits>> by_type_;
};

}  // namespace refrain
