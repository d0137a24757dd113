#include <algorithm>

#include "json/json_writer.hpp"
#include "planning/diagnostic.hpp"
#include "planning/literal_check.hpp"
#include "planning/object_info.hpp"

namespace refrain {
namespace {

bool is_top_level(const Diagnostic& diagnostic) {
  return diagnostic.type == diagnostic_type::kInvalidPrompt || diagnostic.type == diagnostic_type::kNoOutputs;
}

void write_error(JsonWriter& json, std::string_view type, std::string_view message, std::string_view details) {
  json.begin_object().member("type", type).member("message", message).member("details", details);
  json.key("extra_info").begin_object().end_object().end_object();
}

void write_config(JsonWriter& json, const Diagnostic& diagnostic) {
  json.key("input_config");
  const bool too_long = diagnostic.choices && diagnostic.choices->size() > kMostChoicesShown;
  if (too_long)
    json.null();
  else
    write_input_spec(json, *diagnostic.input, diagnostic.choices.get(), true);
}

void write_raw_member(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.key(name).raw(value);
}

void write_text_member(JsonWriter& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.member(name, value);
}

void write_node_error(JsonWriter& json, const Diagnostic& diagnostic) {
  json.begin_object();
  json.member("type", diagnostic.type).member("message", diagnostic.message).member("details", diagnostic.details);
  json.key("extra_info").begin_object();
  write_text_member(json, "input_name", diagnostic.input_name);
  const bool bare = diagnostic.type == diagnostic_type::kRequiredInputMissing ||
                    diagnostic.type == diagnostic_type::kCustomValidationFailed;
  if (diagnostic.input && !bare) write_config(json, diagnostic);
  write_raw_member(json, "received_value", diagnostic.received_value);
  write_text_member(json, "received_type", diagnostic.received_type);
  write_raw_member(json, "linked_node", diagnostic.linked_node);
  write_text_member(json, "exception_message", diagnostic.exception_message);
  if (diagnostic.position.line != 0) {
    json.member("line", diagnostic.position.line).member("column", diagnostic.position.column);
  }
  json.member("json_pointer", diagnostic.json_pointer);
  write_text_member(json, "hint", diagnostic.hint);
  json.end_object().end_object();
}

// "message: details" of the errors at output nodes themselves, one a line.
std::string details_of_outputs(std::span<const Diagnostic> diagnostics) {
  std::string text;
  for (const Diagnostic& diagnostic : diagnostics) {
    const auto& outputs = diagnostic.dependent_outputs;
    if (std::find(outputs.begin(), outputs.end(), diagnostic.node_id) == outputs.end()) continue;
    if (!text.empty()) text += '\n';
    text += diagnostic.message + ": " + diagnostic.details;
  }
  return text;
}

void write_node(JsonWriter& json, std::span<const Diagnostic> of_node) {
  json.key(of_node.front().node_id).begin_object().key("errors").begin_array();
  for (const Diagnostic& diagnostic : of_node) write_node_error(json, diagnostic);
  json.end_array().key("dependent_outputs").begin_array();
  for (const std::string& output : of_node.front().dependent_outputs) json.value(output);
  json.end_array().member("class_type", of_node.front().class_type).end_object();
}

}  // namespace

std::string to_json(std::span<const Diagnostic> diagnostics) {
  JsonWriter json;
  json.begin_object().key("error");
  const auto top = std::find_if(diagnostics.begin(), diagnostics.end(), is_top_level);
  if (top != diagnostics.end())
    write_error(json, top->type, top->message, top->details);
  else if (diagnostics.empty())
    json.null();
  else
    write_error(json, "prompt_outputs_failed_validation", "Prompt outputs failed validation",
                details_of_outputs(diagnostics));
  json.key("node_errors").begin_object();
  for (std::size_t first = 0; first < diagnostics.size();) {
    std::size_t end = first + 1;
    while (end < diagnostics.size() && diagnostics[end].node_id == diagnostics[first].node_id) ++end;
    if (!diagnostics[first].node_id.empty()) write_node(json, diagnostics.subspan(first, end - first));
    first = end;
  }
  return json.end_object().end_object().take();
}

}  // namespace refrain
