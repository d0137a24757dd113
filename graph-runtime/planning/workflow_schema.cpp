#include "planning/workflow_schema.hpp"

#include <cstdint>
#include <exception>
#include <limits>
#include <type_traits>
#include <variant>

#include "graph/workflow_error.hpp"
#include "json/json_writer.hpp"

namespace refrain {
namespace {

// What Python's int() and float() read from a text; ComfyUI converts literals with them.
constexpr const char* kIntegerText = R"(^\s*[+-]?[0-9]+(_[0-9]+)*\s*$)";
constexpr const char* kRealText =
    R"(^\s*[+-]?(([0-9][0-9_]*)?\.?[0-9_]+([eE][+-]?[0-9]+)?|[0-9][0-9_]*\.([eE][+-]?[0-9]+)?)"
    R"(|[iI][nN][fF]([iI][nN][iI][tT][yY])?|[nN][aA][nN])\s*$)";

void write_literal(JsonWriter& json, const char* name, const Literal& literal) {
  if (std::holds_alternative<std::monostate>(literal)) return;
  json.key(name);
  std::visit(
      [&](const auto& value) {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
          json.null();
        } else {
          // Readers of JSON Schema commonly keep integers in 63 bits; a real number of that size is read by all of
          // them.
          if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::uint64_t>) {
            if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
              json.value(static_cast<double>(value));
              return;
            }
          }
          json.value(value);
        }
      },
      literal);
}

void write_reference(JsonWriter& json, const char* definition) {
  json.begin_object().member("$ref", std::string("#/definitions/") + definition).end_object();
}

/// A number within the limits, a text that reads as one, or a link.
void write_number(JsonWriter& json, const Input& input, const char* text_pattern) {
  json.key("anyOf").begin_array();
  json.begin_object().member("type", "number");
  if (!input.checked_by_node) {
    write_literal(json, "minimum", input.min);
    write_literal(json, "maximum", input.max);
  }
  json.end_object();
  json.begin_object().member("type", "string").member("pattern", text_pattern).end_object();
  json.begin_object().member("type", "boolean").end_object();
  write_reference(json, "wrapped");
  write_reference(json, "link");
  json.end_array();
}

/// The choices that are the same everywhere; none where any text must be let through.
Choices fixed_choices(const Input& input, const Host& host) {
  if (!input.choices.folder.empty() || input.checked_by_node) return {};
  try {
    return input.list_choices(host);
  } catch (const std::exception&) {
    return {};  // a function of the node's that can't list them now may do so when the workflow runs
  }
}

void write_choice(JsonWriter& json, const Input& input, const Host& host) {
  json.key("anyOf").begin_array();
  if (const Choices choices = fixed_choices(input, host); !choices.empty()) {
    json.begin_object().key("enum").begin_array();
    for (const std::string& choice : choices) json.value(choice);
    json.end_array().end_object();
  } else {
    json.begin_object().member("type", "string").end_object();
  }
  write_reference(json, "link");
  json.end_array();
}

void write_link_only(JsonWriter& json, const Input& input) {
  json.key("anyOf").begin_array();
  write_reference(json, "link");
  if (input.optional) json.begin_object().member("type", "null").end_object();
  json.end_array();
}

std::string description_of(const Input& input) {
  std::string text = input.accepts.empty() ? std::string(input.type.name) : input.accepts;
  if (!input.choices.folder.empty()) text += ", a file of the folder " + input.choices.folder;
  if (!input.help.empty()) text += ": " + input.help;
  return text;
}

void write_input(JsonWriter& json, const Input& input, const Host& host) {
  json.key(input.name).begin_object().member("description", description_of(input));
  write_literal(json, "default", input.value);
  if (input.choice) {
    write_choice(json, input, host);
  } else if (input.type.name == "*") {
    json.member("$ref", "#/definitions/literal");
  } else if (!input.widget) {
    write_link_only(json, input);
  } else if (input.type.name == "INT") {
    write_number(json, input, kIntegerText);
  } else if (input.type.name == "FLOAT") {
    write_number(json, input, kRealText);
  } else {
    json.member("$ref", "#/definitions/literal");  // text and switches take anything
  }
  json.end_object();
}

void write_inputs(JsonWriter& json, const NodeType& type, const Host& host) {
  const Schema& schema = type.schema;
  json.key(schema.name).begin_object();
  if (!schema.help.empty()) json.member("description", schema.help);
  json.member("type", "object").key("properties").begin_object();
  for (const Input& input : schema.inputs) {
    if (!input.hidden) write_input(json, input, host);
  }
  json.end_object().key("required").begin_array();
  for (const Input& input : schema.inputs) {
    if (!input.hidden && !input.optional) json.value(input.name);
  }
  json.end_array();
  // Undeclared inputs are let through, but a list is read as a link wherever it stands.
  json.key("additionalProperties").begin_object().member("$ref", "#/definitions/literal").end_object();
  json.end_object();
}

void write_node_definition(JsonWriter& json, const Registry& registry) {
  json.key("node").begin_object().member("type", "object").key("required").begin_array();
  json.value("class_type").value("inputs").end_array().key("properties").begin_object();
  json.key("class_type").begin_object().member("description", "the node's type; refrain nodes lists them");
  json.key("enum").begin_array();
  for (const NodeType* type : registry.types()) json.value(type->schema.name);
  json.end_array().end_object();
  json.key("inputs").begin_object().member("type", "object").end_object();
  json.key("_meta").begin_object().member("type", "object").key("properties").begin_object();
  json.key("title").begin_object().member("type", "string");
  json.member("description", "a name for people, for messages and for --set").end_object();
  json.end_object().end_object().end_object();
  json.key("allOf").begin_array();
  for (const NodeType* type : registry.types()) {
    json.begin_object().key("if").begin_object().key("properties").begin_object().key("class_type").begin_object();
    json.member("const", type->schema.name).end_object().end_object().key("required").begin_array();
    json.value("class_type").end_array().end_object();
    json.key("then").begin_object().key("properties").begin_object().key("inputs").begin_object();
    std::string pointer = "#/definitions/inputs";
    append_pointer_token(pointer, type->schema.name);
    json.member("$ref", pointer).end_object().end_object().end_object();
    json.end_object();
  }
  json.end_array().end_object();
}

/// What every node's inputs are made of.
void write_common_definitions(JsonWriter& json) {
  json.key("link").begin_object().member("description", "[\"node id\", number of its output]");
  json.member("type", "array").member("minItems", 2).member("maxItems", 2).key("items").begin_array();
  json.begin_object().member("type", "string").end_object();
  json.begin_object().key("anyOf").begin_array();
  json.begin_object().member("type", "integer").member("minimum", 0).end_object();
  json.begin_object().member("type", "boolean").end_object().end_array().end_object();
  json.end_array().end_object();
  json.key("wrapped").begin_object().member("description", "a literal, wrapped so that a list is no link");
  json.member("type", "object").key("required").begin_array().value("__value__").end_array().end_object();
  json.key("literal").begin_object().key("anyOf").begin_array();
  json.begin_object().key("not").begin_object().member("type", "array").end_object().end_object();
  write_reference(json, "link");
  json.end_array().end_object();
  json.key("graph").begin_object().member("type", "object").member("minProperties", 1);
  json.key("additionalProperties").begin_object().member("$ref", "#/definitions/node").end_object().end_object();
}

}  // namespace

std::string workflow_schema(const Registry& registry, const Host& host) {
  JsonWriter json(JsonWriter::Style::indented);
  json.begin_object().member("$schema", "http://json-schema.org/draft-07/schema#");
  json.member("title", "Workflow for Refrain, in ComfyUI's API format");
  json.member("description",
              "Made by refrain nodes --schema. A node's id is any text; its inputs are literals or links.");
  json.member("type", "object");
  // The body of a request to ComfyUI's /prompt holds the graph in a member.
  json.key("if").begin_object().key("required").begin_array().value("prompt").end_array();
  json.key("properties").begin_object().key("prompt").begin_object().member("type", "object");
  json.key("not").begin_object().key("required").begin_array().value("class_type").end_array().end_object();
  json.end_object().end_object().end_object();
  json.key("then").begin_object().key("properties").begin_object().key("prompt").begin_object();
  json.member("$ref", "#/definitions/graph").end_object().end_object().end_object();
  json.key("else").begin_object().member("$ref", "#/definitions/graph").end_object();
  json.key("definitions").begin_object();
  write_common_definitions(json);
  write_node_definition(json, registry);
  json.key("inputs").begin_object();
  for (const NodeType* type : registry.types()) write_inputs(json, *type, host);
  json.end_object().end_object().end_object();
  return json.take() + "\n";
}

}  // namespace refrain
