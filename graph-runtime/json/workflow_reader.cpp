#include "json/workflow_reader.hpp"

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "graph/graph_index.hpp"
#include "graph/shorten.hpp"
#include "graph/workflow_error.hpp"
#include "json/input_value.hpp"
#include "json/json_document.hpp"
#include "json/python_text.hpp"

namespace refrain {
namespace {

constexpr const char* kHowToExport =
    "this is a workflow in the format of ComfyUI's editor, which only the editor can run; export it in the API format: "
    "menu Workflow > Export (API), in older versions enable the dev mode options in the settings and use "
    "\"Save (API Format)\"";

const char* describe(JsonKind kind) {
  switch (kind) {
    case JsonKind::null: return "null";
    case JsonKind::boolean: return "a boolean";
    case JsonKind::string: return "a string";
    case JsonKind::array: return "an array";
    case JsonKind::object: return "an object";
    default: return "a number";
  }
}

bool has_array(JsonView object, std::string_view name) {
  const std::optional<JsonView> member = object.find(name);
  return member && member->is(JsonKind::array);
}

bool is_editor_format(JsonView object) {
  return has_array(object, "nodes") &&
         (has_array(object, "links") || object.find("last_node_id") || object.find("version"));
}

bool looks_like_node(JsonView value) { return value.is(JsonKind::object) && value.find("class_type"); }

// Merges elements with one name into the place of the first, with the contents of the last.
template <class Element, class Name>
void keep_last_of_equal(std::vector<Element>& elements, Name name) {
  std::unordered_map<std::string_view, std::size_t> first_of;
  first_of.reserve(elements.size());
  std::vector<std::pair<std::size_t, std::size_t>> repeats;  // position, position of the first
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto [first, is_new] = first_of.emplace(name(elements[i]), i);
    if (!is_new) repeats.emplace_back(i, first->second);
  }
  if (repeats.empty()) return;
  std::vector<bool> dropped(elements.size());
  for (auto [later, first] : repeats) {
    elements[first] = std::move(elements[later]);
    dropped[later] = true;
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (dropped[i]) continue;
    if (kept != i) elements[kept] = std::move(elements[i]);
    ++kept;
  }
  elements.erase(elements.begin() + static_cast<std::ptrdiff_t>(kept), elements.end());
}

class GraphReader {
 public:
  GraphReader(JsonView root, std::string_view source_name) : root_(root) { graph_.source_name = source_name; }

  WorkflowGraph read() {
    JsonView prompt = find_prompt();
    if (prompt.size() == 0) fail("workflow_empty", prompt, graph_.root_pointer, "the workflow has no nodes");
    if (is_editor_format(prompt)) fail("workflow_not_api_format", prompt, graph_.root_pointer, kHowToExport);
    graph_.nodes.reserve(prompt.size());
    for (JsonView member : prompt) read_node(member);
    keep_last_of_equal(graph_.nodes, [](const GraphNode& node) -> std::string_view { return node.id; });
    index_graph(graph_);
    return std::move(graph_);
  }

 private:
  // The object that holds the nodes: the root, or `prompt` of a request's body.
  JsonView find_prompt() {
    if (!root_.is(JsonKind::object)) {
      fail("workflow_not_api_format", root_, "",
           std::string("a workflow is an object of nodes, this is ") + describe(root_.kind()));
    }
    const std::optional<JsonView> prompt = root_.find("prompt");
    if (!prompt || !prompt->is(JsonKind::object) || looks_like_node(*prompt)) return root_;
    graph_.root_pointer = "/prompt";
    std::optional<JsonView> value = root_.find("extra_data");
    for (const char* name : {"extra_pnginfo", "workflow"}) {
      if (value && value->is(JsonKind::object))
        value = value->find(name);
      else
        value.reset();
    }
    if (value) graph_.workflow_json = python_json(*value);
    return *prompt;
  }

  void read_node(JsonView object) {
    std::string pointer = graph_.root_pointer;
    append_pointer_token(pointer, object.key());
    if (!object.is(JsonKind::object)) {
      fail("workflow_not_api_format", object, pointer,
           "node " + python_repr(shorten(object.key(), 80)) + " is " + describe(object.kind()) +
               "; a node is an object with class_type and inputs");
    }
    GraphNode& node = graph_.nodes.emplace_back();
    node.id = object.key();
    node.position = object.position();
    for (JsonView member : object) read_member(node, member, pointer);
    keep_members(node, object);
  }

  void read_member(GraphNode& node, JsonView member, const std::string& node_pointer) {
    const std::string_view name = member.key();
    if (name == "class_type") {
      node.has_class_type = true;
      node.class_type = member.is(JsonKind::string) ? std::string(member.string()) : python_json(member);
      node.class_type_position = member.position();
    } else if (name == "inputs") {
      if (!member.is(JsonKind::object)) {
        fail("prompt_rejected", member, node_pointer + "/inputs",
             "inputs of node " + shorten(node.id, 80) + " is " + describe(member.kind()) + "; it has to be an object");
      }
      node.has_inputs = true;
      read_inputs(node, member);
    } else if (name == "_meta" && member.is(JsonKind::object)) {
      const std::optional<JsonView> title = member.find("title");
      node.title = title && title->is(JsonKind::string) ? std::string(title->string()) : std::string();
    }
  }

  static void read_inputs(GraphNode& node, JsonView object) {
    node.inputs.clear();
    node.inputs.reserve(object.size());
    for (JsonView member : object) {
      node.inputs.push_back({std::string(member.key()), input_value(member), member.position()});
    }
    keep_last_of_equal(node.inputs, [](const GraphInput& input) -> std::string_view { return input.name; });
  }

  // Remembers what else a node's object holds, and in which order, unless it has just the two usual members.
  static void keep_members(GraphNode& node, JsonView object) {
    if (object.size() == 2 && (*object.begin()).key() == "class_type" && node.has_inputs) return;
    node.members.reserve(object.size());
    for (JsonView member : object) {
      const bool kept_elsewhere = member.key() == "class_type" || member.key() == "inputs";
      node.members.push_back({std::string(member.key()), kept_elsewhere ? std::string() : python_json(member)});
    }
    keep_last_of_equal(node.members, [](const GraphMember& member) -> std::string_view { return member.name; });
  }

  [[noreturn]] void fail(const char* code, JsonView value, std::string pointer, const std::string& message) const {
    throw WorkflowReadError(code, {graph_.source_name, value.position(), std::move(pointer)}, message);
  }

  JsonView root_;
  WorkflowGraph graph_;
};

}  // namespace

WorkflowGraph parse_workflow(std::string_view text, std::string_view source_name) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) {
    throw WorkflowReadError("workflow_empty", {std::string(source_name), {1, 1}, ""}, "the text is empty");
  }
  const JsonDocument document = JsonDocument::parse(text, source_name);
  return GraphReader(document.root(), source_name).read();
}

}  // namespace refrain
