#include "planning/object_info.hpp"

#include <algorithm>
#include <variant>

namespace refrain {
namespace {

struct WriteLiteral {
  JsonWriter& json;
  void operator()(std::monostate) const { json.null(); }
  void operator()(const JsonText& v) const { json.raw(v.text); }
  template <class T>
  void operator()(const T& v) const {
    json.value(v);
  }
};

void write_limit(JsonWriter& json, const char* name, const Literal& limit) {
  if (std::holds_alternative<std::monostate>(limit)) return;
  json.key(name);
  std::visit(WriteLiteral{json}, limit);
}

bool has_options(const Input& input) {
  const auto given = [](const Literal& literal) { return !std::holds_alternative<std::monostate>(literal); };
  return input.lazy || input.multiline || !input.help.empty() || !input.options.empty() || given(input.value) ||
         given(input.min) || given(input.max) || given(input.step) || given(input.round);
}

void write_options(JsonWriter& json, const Input& input) {
  json.begin_object();
  write_limit(json, "default", input.value);
  write_limit(json, "min", input.min);
  write_limit(json, "max", input.max);
  write_limit(json, "step", input.step);
  write_limit(json, "round", input.round);
  if (input.multiline) json.member("multiline", true);
  for (const auto& [name, option] : input.options) {
    json.key(name);
    std::visit(WriteLiteral{json}, option);
  }
  if (input.lazy) json.member("lazy", true);
  if (!input.help.empty()) json.member("tooltip", input.help);
  json.end_object();
}

enum class Section { required, optional, hidden };

Section section_of(const Input& input) {
  if (input.hidden) return Section::hidden;
  return input.optional ? Section::optional : Section::required;
}

bool has_section(const Schema& schema, Section section) {
  // ComfyUI's nodes all have a required section, if an empty one.
  return section == Section::required || std::any_of(schema.inputs.begin(), schema.inputs.end(),
                                                     [&](const Input& i) { return section_of(i) == section; });
}

constexpr std::pair<Section, const char*> kSections[] = {
    {Section::required, "required"}, {Section::optional, "optional"}, {Section::hidden, "hidden"}};

std::string shown_name(const Input& input) {
  if (!input.hidden) return input.name;
  std::string name = input.name;  // ComfyUI's nodes call PROMPT "prompt"
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

void write_inputs(JsonWriter& json, const Schema& schema, const Host& host) {
  json.key("input").begin_object();
  for (auto [section, name] : kSections) {
    if (!has_section(schema, section)) continue;
    json.key(name).begin_object();
    for (const Input& input : schema.inputs) {
      if (section_of(input) != section) continue;
      json.key(shown_name(input));
      if (input.hidden) {
        json.value(input.type.name);
      } else if (input.choice) {
        const Choices choices = input.list_choices(host);
        write_input_spec(json, input, &choices);
      } else {
        write_input_spec(json, input, nullptr);
      }
    }
    json.end_object();
  }
  json.end_object().key("input_order").begin_object();
  for (auto [section, name] : kSections) {
    if (!has_section(schema, section)) continue;
    json.key(name).begin_array();
    for (const Input& input : schema.inputs) {
      if (section_of(input) == section) json.value(shown_name(input));
    }
    json.end_array();
  }
  json.end_object();
}

void write_outputs(JsonWriter& json, const Schema& schema) {
  json.key("output").begin_array();
  for (const Output& output : schema.outputs) json.value(output.type.name);
  json.end_array().key("output_is_list").begin_array();
  for (const Output& output : schema.outputs) json.value(output.list);
  json.end_array().key("output_name").begin_array();
  for (const Output& output : schema.outputs) json.value(output.name);
  json.end_array();
}

void write_type(JsonWriter& json, const NodeType& type, const Host& host) {
  const Schema& schema = type.schema;
  json.key(schema.name).begin_object();
  write_inputs(json, schema, host);
  write_outputs(json, schema);
  json.member("name", schema.name);
  json.member("display_name", schema.display_name.empty() ? schema.name : schema.display_name);
  json.member("description", schema.help);
  json.member("python_module", "refrain." + type.library);
  json.member("category", schema.category);
  json.member("output_node", schema.role == Role::output);
  const bool has_tooltips = std::any_of(schema.outputs.begin(), schema.outputs.end(),
                                        [](const Output& output) { return !output.help.empty(); });
  if (has_tooltips) {
    json.key("output_tooltips").begin_array();
    for (const Output& output : schema.outputs) json.value(output.help);
    json.end_array();
  }
  if (schema.deprecated) json.member("deprecated", true);
  if (schema.experimental) json.member("experimental", true);
  json.end_object();
}

}  // namespace

void write_input_spec(JsonWriter& json, const Input& input, const Choices* choices, bool always_options) {
  json.begin_array();
  if (choices) {
    json.begin_array();
    for (const std::string& choice : *choices) json.value(choice);
    json.end_array();
  } else {
    json.value(input.accepts.empty() ? input.type.name : std::string_view(input.accepts));
  }
  if (always_options || has_options(input)) write_options(json, input);
  json.end_array();
}

std::string object_info(const Registry& registry, const Host& host, std::span<const std::string> names,
                        JsonWriter::Style style) {
  JsonWriter json(style);
  json.begin_object();
  if (names.empty()) {
    for (const NodeType* type : registry.types()) write_type(json, *type, host);
  }
  for (const std::string& name : names) {
    if (const NodeType* type = registry.find(name)) write_type(json, *type, host);
  }
  return json.end_object().take();
}

}  // namespace refrain
