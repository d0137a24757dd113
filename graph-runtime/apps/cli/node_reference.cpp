#include "node_reference.hpp"

#include <refrain/host.hpp>
#include <refrain/schema.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "literal_text.hpp"
#include "plugins/registry.hpp"

namespace refrain::cli {
namespace {

/// Text inside a cell of a table.
std::string cell(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '>' || c == '*' || c == '_' || c == '`') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string code(std::string_view text) {
  std::string shown(text);
  std::replace(shown.begin(), shown.end(), '\n', ' ');
  return shown.empty() ? std::string() : fmt::format("`{}`", shown);
}

/// A heading's address, as Git hosts make it.
std::string anchor(std::string_view heading) {
  std::string address;
  for (const char c : heading) {
    if (c >= 'A' && c <= 'Z') {
      address += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-') {
      address += c;
    } else if (c == ' ') {
      address += '-';
    }
  }
  return address;
}

std::string type_of(const Input& input) {
  std::string type = input.accepts.empty() ? std::string(input.type.name) : input.accepts;
  if (input.list) type += ", list";
  if (input.lazy) type += ", lazy";
  if (input.optional) type += ", optional";
  return type;
}

std::string range_of(const Input& input) {
  const bool low = !is_open(input.min), high = !is_open(input.max);
  if (low && high) return fmt::format("{} to {}", text_of(input.min), text_of(input.max));
  if (low) return fmt::format("from {}", text_of(input.min));
  return high ? fmt::format("to {}", text_of(input.max)) : std::string();
}

std::string choices_of(const Input& input, const Host& host) {
  if (!input.choices.folder.empty()) return fmt::format("a file of the folder {}", code(input.choices.folder));
  std::string list;
  for (const std::string& choice : input.list_choices(host)) list += (list.empty() ? "" : ", ") + code(choice);
  return list;
}

void add_inputs(std::string& text, const Schema& schema, const Host& host) {
  const bool any = std::any_of(schema.inputs.begin(), schema.inputs.end(), [](const Input& i) { return !i.hidden; });
  if (!any) return;
  text += "\n| input | type | default | range | |\n|---|---|---|---|---|\n";
  for (const Input& input : schema.inputs) {
    if (input.hidden) continue;
    std::string about = cell(input.help);
    if (const std::string choices = input.choice ? choices_of(input, host) : ""; !choices.empty()) {
      about += (about.empty() ? "one of: " : "; one of: ") + choices;
    }
    text += fmt::format("| {} | {} | {} | {} | {} |\n", code(input.name), cell(type_of(input)),
                        code(text_of(input.value)), range_of(input), about);
  }
}

void add_outputs(std::string& text, const Schema& schema) {
  if (schema.outputs.empty()) return;
  text += "\n| output | type | |\n|---|---|---|\n";
  for (const Output& output : schema.outputs) {
    text += fmt::format("| {} | {}{} | {} |\n", code(output.name), cell(output.type.name), output.list ? ", list" : "",
                        cell(output.help));
  }
}

void add_node(std::string& text, const NodeType& type, const Host& host) {
  const Schema& schema = type.schema;
  text += fmt::format("\n### {}\n", schema.name);
  std::string about;
  if (!schema.display_name.empty() && schema.display_name != schema.name)
    about += fmt::format("*{}.* ", cell(schema.display_name));
  about += cell(schema.help);
  if (schema.role == Role::output) about += " Runs for its own sake.";
  if (schema.deprecated) about += " Deprecated.";
  if (schema.experimental) about += " Experimental.";
  if (!about.empty()) text += "\n" + about + "\n";
  add_inputs(text, schema, host);
  add_outputs(text, schema);
}

}  // namespace

std::string node_reference(const Registry& registry, const Host& host) {
  std::map<std::string_view, std::vector<const NodeType*>> categories;
  for (const NodeType* type : registry.types()) categories[type->schema.category].push_back(type);
  std::string text = fmt::format(
      "# Nodes\n\nAll {} node types that come with Refrain, made by `refrain nodes --markdown` "
      "(`make docs` writes this file anew). Inputs that\nare links have no default. `refrain nodes NAME` "
      "shows one of them at a terminal.\n\n",
      registry.types().size());
  for (const auto& [category, types] : categories) {
    text += fmt::format("- [{}](#{}): ", category, anchor(category));
    for (std::size_t i = 0; i < types.size(); ++i) {
      text += fmt::format("{}[{}](#{})", i == 0 ? "" : ", ", types[i]->schema.name, anchor(types[i]->schema.name));
    }
    text += "\n";
  }
  for (const auto& [category, types] : categories) {
    text += fmt::format("\n## {}\n", category);
    for (const NodeType* type : types) add_node(text, *type, host);
  }
  return text;
}

}  // namespace refrain::cli
