#pragma once
// A workflow as it was written: nodes, literals and links with their places in the text. Nothing here has been checked.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace refrain {

/// Where something stands in the source text. Lines and columns count from 1, columns in bytes; 0 means unknown.
struct TextPosition {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

/// JSON that is no scalar and no link, as the text that Python's json.dumps gives: an object, a list that was
/// wrapped as `{"__value__": [...]}`, or an integer beyond 64 bits.
struct RawJson {
  std::string text;
};

/// A well-formed link, `["4", 0]`: output `slot` of node `node`.
struct LinkRef {
  static constexpr std::uint32_t kUnresolved = 0xFFFFFFFFu;

  std::string node;
  std::int64_t slot = 0;
  std::uint32_t target = kUnresolved;  ///< position of `node` in the graph if it exists; filled by index_graph()
};

/// An array in the place of a value that is no well-formed link; ComfyUI reads every array as one.
struct MalformedLink {
  std::string text;      ///< the array as JSON text
  std::size_t size = 0;  ///< its number of elements; ComfyUI's bad_linked_input when it is not 2
};

/// The value of one input as written. Unsigned numbers beyond int64 stay exact (seeds).
using InputValue = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, RawJson,
                                LinkRef, MalformedLink>;

struct GraphInput {
  std::string name;
  InputValue value;
  TextPosition position;  ///< of the value
};

/// A member of a node's object. Only what a prompt's text needs: the values of `class_type` and `inputs` live
/// elsewhere.
struct GraphMember {
  std::string name;
  std::string json;  ///< as json.dumps gives it; empty for `class_type` and `inputs`
};

struct GraphNode {
  std::string id;
  std::string class_type;            ///< empty when it is missing; see has_class_type
  std::string title;                 ///< `_meta.title`, else empty
  std::vector<GraphInput> inputs;    ///< in the order of the text
  std::vector<GraphMember> members;  ///< in the order of the text; empty when they are `class_type`, `inputs` alone
  TextPosition position;             ///< of the node's object
  TextPosition class_type_position;
  bool has_class_type = false;
  bool has_inputs = false;
};

/// A parsed workflow in ComfyUI's API format, in the order of the text.
struct WorkflowGraph {
  std::vector<GraphNode> nodes;
  std::unordered_map<std::string_view, std::uint32_t> index;  ///< id -> position in `nodes`; views into `nodes`
  /// Who needs whom, compactly: links of node i come from link_sources[first_link[i]] up to [first_link[i + 1]],
  /// in the order of its inputs; links to missing nodes are left out. Filled by index_graph().
  std::vector<std::uint32_t> first_link;
  std::vector<std::uint32_t> link_sources;
  std::string root_pointer;   ///< JSON pointer of the object that holds the nodes: "" or "/prompt"
  std::string source_name;    ///< the file's name, "<stdin>", ... for messages
  std::string workflow_json;  ///< the UI's graph when one came along (PNG chunk, extra_pnginfo), else empty

  /// Positions of the nodes that node `node` takes links from.
  std::span<const std::uint32_t> sources_of(std::uint32_t node) const {
    return {link_sources.data() + first_link[node], first_link[node + 1] - first_link[node]};
  }

  WorkflowGraph() = default;
  WorkflowGraph(WorkflowGraph&&) = default;
  WorkflowGraph& operator=(WorkflowGraph&&) = default;
  WorkflowGraph(const WorkflowGraph&) = delete;  // the index looks into the nodes
  WorkflowGraph& operator=(const WorkflowGraph&) = delete;
};

}  // namespace refrain
