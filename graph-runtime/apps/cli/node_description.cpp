#include "node_description.hpp"

#include <refrain/host.hpp>
#include <refrain/schema.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "literal_text.hpp"
#include "plugins/registry.hpp"

namespace refrain::cli {
namespace {

constexpr std::size_t kMostChoices = 24;

/// Limits that say something: those of the whole type don't.
std::string limits_of(const Input& input) {
  std::string text;
  if (!is_open(input.min)) text += fmt::format(", from {}", text_of(input.min));
  if (!is_open(input.max)) text += fmt::format(", to {}", text_of(input.max));
  return text;
}

std::string choices_of(const Input& input, const Host& host) {
  const Choices choices = input.list_choices(host);
  if (choices.empty()) {
    return input.choices.folder.empty() ? "none"
                                        : fmt::format("none: no files in the folder \"{}\"", input.choices.folder);
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(choices.size(), kMostChoices); ++i) {
    text += (i == 0 ? "" : ", ") + choices[i];
  }
  return choices.size() > kMostChoices ? fmt::format("{}, ... ({} in all)", text, choices.size()) : text;
}

std::string line_of(const Input& input, const Host& host) {
  std::string line =
      fmt::format("  {} {}", input.name, input.accepts.empty() ? std::string(input.type.name) : input.accepts);
  if (input.optional) line += ", optional";
  if (input.lazy) line += ", lazy";
  if (input.list) line += ", list";
  if (const std::string value = text_of(input.value); !value.empty()) line += ", default " + value;
  line += limits_of(input);
  if (!input.help.empty()) line += "\n      " + input.help;
  if (input.choice) line += "\n      one of: " + choices_of(input, host);
  return line + "\n";
}

}  // namespace

std::string describe_node(const NodeType& type, const Host& host) {
  const Schema& schema = type.schema;
  std::string text =
      fmt::format("{}  ({}, from {} {})\n", schema.name, schema.category, type.library, type.library_version);
  if (!schema.help.empty()) text += schema.help + "\n";
  text += "inputs\n";
  for (const Input& input : schema.inputs) {
    if (!input.hidden) text += line_of(input, host);
  }
  text += schema.outputs.empty() ? "no outputs: it runs for its own sake\n" : "outputs\n";
  for (const Output& output : schema.outputs) {
    text += fmt::format("  {} {}{}{}\n", output.name, output.type.name, output.list ? ", list" : "",
                        output.help.empty() ? "" : "\n      " + output.help);
  }
  return text;
}

}  // namespace refrain::cli
