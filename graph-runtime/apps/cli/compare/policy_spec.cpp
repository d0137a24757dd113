#include "compare/policy_spec.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace refrain::cli {
namespace {

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw ValidationError("bad_policy", fmt::format("--policy {}: {}. Write TYPE or TYPE:input=value,input=value, "
                                                  "as in UniformCache:interval=5,depth=0",
                                                  text, why));
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// Whether `text` begins with `name=`.
bool begins_with_setting(std::string_view text) {
  const std::size_t equals = text.find('=');
  return equals != text.npos && is_name(text.substr(0, equals));
}

/// Where the first setting of `text` ends: at a comma outside parentheses that another setting follows.
std::size_t end_of_setting(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++open;
    if (text[i] == ')') --open;
    if (text[i] == ',' && open == 0 && begins_with_setting(text.substr(i + 1))) return i;
  }
  return text.size();
}

}  // namespace

PolicySpec parse_policy(std::string_view text) {
  PolicySpec spec;
  spec.text = text;
  const std::size_t colon = text.find(':');
  spec.type = text.substr(0, colon);
  if (spec.type.empty()) refuse(text, "the node type is missing");
  if (colon == text.npos) return spec;
  std::string_view rest = text.substr(colon + 1);
  if (std::count(rest.begin(), rest.end(), '(') != std::count(rest.begin(), rest.end(), ')')) {
    refuse(text, "the parentheses don't match");
  }
  while (!rest.empty()) {
    if (!begins_with_setting(rest)) refuse(text, fmt::format("\"{}\" is no input=value", rest));
    const std::string_view setting = rest.substr(0, end_of_setting(rest));
    const std::size_t equals = setting.find('=');
    spec.settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
    rest.remove_prefix(std::min(rest.size(), setting.size() + 1));
  }
  return spec;
}

bool is_nested_policy(std::string_view value, std::string_view& inside) {
  if (value.size() < 3 || value.front() != '(' || value.back() != ')') return false;
  inside = value.substr(1, value.size() - 2);
  return true;
}

}  // namespace refrain::cli
