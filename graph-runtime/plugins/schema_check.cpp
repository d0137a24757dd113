#include "plugins/schema_check.hpp"

#include <refrain/errors.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <type_traits>

namespace refrain {

namespace {

constexpr std::size_t kLongestName = 100;

std::string quoted(std::string_view text) { return std::string("'").append(text).append("'"); }

/// Where a complaint is: "node 'KSampler', input 'seed'".
struct Place {
  const Schema& schema;
  const char* kind;
  const std::string& port;

  [[noreturn]] void refuse(const char* code, const std::string& what) const {
    throw PluginError(code, "node " + quoted(schema.name) + ", " + kind + " " + quoted(port) + ": " + what);
  }
};

/// The limits are of the kind that the type says, and don't cross.
template <class T>
void check_limits(const Place& place, const Input& input) {
  const T* min = std::get_if<T>(&input.min);
  const T* max = std::get_if<T>(&input.max);
  const bool min_fits = min || std::holds_alternative<std::monostate>(input.min);
  const bool max_fits = max || std::holds_alternative<std::monostate>(input.max);
  if (!min_fits || !max_fits) place.refuse("bad_limits", "a limit is of another kind than the values");
  if constexpr (std::is_floating_point_v<T>) {
    if ((min && std::isnan(*min)) || (max && std::isnan(*max))) place.refuse("bad_limits", "a limit is not a number");
  }
  if (min && max && *max < *min) {
    place.refuse("bad_limits", "the minimum " + std::to_string(*min) + " is above the maximum " + std::to_string(*max));
  }
}

/// The limits hold the default.
template <class T>
void check_number(const Place& place, const Input& input) {
  check_limits<T>(place, input);
  const T value = std::get<T>(input.value);
  const T* min = std::get_if<T>(&input.min);
  const T* max = std::get_if<T>(&input.max);
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) place.refuse("bad_default", "the default is not a number");
  }
  if ((min && value < *min) || (max && *max < value)) {
    const std::string low = min ? std::to_string(*min) : "unlimited";
    const std::string high = max ? std::to_string(*max) : "unlimited";
    place.refuse("bad_default",
                 "the default " + std::to_string(value) + " lies outside the range " + low + " to " + high);
  }
}

void check_choice(const Place& place, const Input& input) {
  const ChoiceSource& from = input.choices;
  if (from.computed && from.folder.empty() && from.fixed.empty()) return;
  if (!from.folder.empty() && !from.computed && from.fixed.empty()) {
    const bool plain = std::all_of(from.folder.begin(), from.folder.end(), detail::port_character);
    if (!plain || from.folder.starts_with('.'))
      place.refuse("bad_limits", quoted(from.folder) + " is no name of a model folder");
    return;
  }
  if (from.fixed.empty()) place.refuse("no_choices", "a choice without choices");
  if (from.computed || !from.folder.empty()) place.refuse("no_choices", "choices from more than one source");
  std::set<std::string_view> seen;
  for (const std::string& choice : from.fixed) {
    if (!seen.insert(choice).second) place.refuse("no_choices", "the choice " + quoted(choice) + " stands there twice");
  }
  if (const auto* value = std::get_if<std::string>(&input.value); value && !seen.contains(*value)) {
    place.refuse("bad_default", "the default " + quoted(*value) + " is none of the choices");
  }
}

void check_widget(const Place& place, const Input& input) {
  if (input.choice) return check_choice(place, input);
  const std::string_view type = input.type.name;
  const auto holds = [&]<class T>(std::type_identity<T>) { return std::holds_alternative<T>(input.value); };
  if (type == "FLOAT" && holds(std::type_identity<double>{})) return check_number<double>(place, input);
  if (type == "INT" && holds(std::type_identity<std::int64_t>{})) return check_number<std::int64_t>(place, input);
  if (type == "INT" && holds(std::type_identity<std::uint64_t>{})) return check_number<std::uint64_t>(place, input);
  if (type == "BOOLEAN" && holds(std::type_identity<bool>{})) return;
  if (type == "STRING" && holds(std::type_identity<std::string>{})) return;
  if (!input.optional && holds(std::type_identity<std::monostate>{})) {  // has to be given
    if (type == "STRING" || type == "BOOLEAN") return;
    if (type == "FLOAT") return check_limits<double>(place, input);
    if (type == "INT") return check_limits<std::int64_t>(place, input);
  }
  place.refuse("bad_default", "the default is no " + std::string(type));
}

void check_type(const Place& place, const Type& type) {
  if (!is_type_name(type.name)) {
    place.refuse("bad_port_type", quoted(type.name) + " is no type name: capitals, digits and '_' make one");
  }
}

void check_accepted(const Place& place, std::string_view accepts) {
  for (bool more = true; more;) {
    const std::size_t comma = accepts.find(',');
    more = comma != std::string_view::npos;
    const std::string_view name = accepts.substr(0, comma);
    if (!is_type_name(name)) place.refuse("bad_port_type", quoted(name) + " is no type name");
    if (more) accepts.remove_prefix(comma + 1);
  }
}

void check_input(const Place& place, const Input& input) {
  if (!is_port_name(input.name)) {
    place.refuse("bad_port_name",
                 "a name has letters, digits, '_', '.' and '-', at most " + std::to_string(kLongestName));
  }
  check_type(place, input.type);
  check_accepted(place, input.accepts);
  const std::string_view type = input.type.name;
  if (input.hidden && type != "PROMPT" && type != "EXTRA_PNGINFO" && type != "UNIQUE_ID") {
    place.refuse("bad_port_type", "no such hidden input; there are PROMPT, EXTRA_PNGINFO and UNIQUE_ID");
  }
  if (input.widget) check_widget(place, input);
}

bool all_of_text(std::string_view text, bool (*allowed)(char)) {
  return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), allowed);
}

}  // namespace

bool is_node_name(std::string_view name) {
  const auto allowed = [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\'' && c != '\\'; };
  return all_of_text(name, allowed) && name.front() != ' ' && name.back() != ' ';
}

bool is_port_name(std::string_view name) { return all_of_text(name, detail::port_character); }

bool is_type_name(std::string_view name) {
  const auto allowed = [](char c) { return c == '_' || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return name == "*" || all_of_text(name, allowed);
}

void check_schema(const Schema& schema) {
  if (!is_node_name(schema.name)) {
    throw PluginError("bad_node_name", "a node's name " + quoted(schema.name.substr(0, kLongestName)) +
                                           " is not well formed: printable ASCII without quotes, at most " +
                                           std::to_string(kLongestName) + " characters");
  }
  std::set<std::string_view> names;
  for (const Input& input : schema.inputs) {
    const Place place{schema, "input", input.name};
    check_input(place, input);
    if (!names.insert(input.name).second) place.refuse("duplicate_port", "two inputs have this name");
  }
  names.clear();
  for (const Output& output : schema.outputs) {
    const Place place{schema, "output", output.name};
    if (!is_port_name(output.name)) place.refuse("bad_port_name", "a name has letters, digits, '_', '.' and '-'");
    check_type(place, output.type);
    if (!names.insert(output.name).second) place.refuse("duplicate_port", "two outputs have this name");
  }
}

}  // namespace refrain
