#include "execution/extra_model_paths.hpp"

#include <refrain/errors.hpp>

#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <system_error>

namespace refrain {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 1 << 20;  // nobody writes a megabyte of paths

[[noreturn]] void refuse(const fs::path& file, const YAML::Mark& mark, const std::string& what) {
  const std::string place =
      mark.line < 0 ? file.string()
                    : file.string() + ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1);
  throw ValidationError("bad_model_paths", place + ": " + what);
}

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

/// Python's expandvars: $NAME and ${NAME}; a variable that is not set stays as it is written.
std::string with_variables(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      result += text[i++];
      continue;
    }
    const bool braced = i + 1 < text.size() && text[i + 1] == '{';
    const std::size_t begin = i + (braced ? 2 : 1);
    std::size_t end = begin;
    while (end < text.size() && (braced ? text[end] != '}' : is_name(text[end]))) ++end;
    const std::size_t after = braced && end < text.size() ? end + 1 : end;
    const char* value = std::getenv(text.substr(begin, end - begin).c_str());
    result += value != nullptr ? std::string(value) : text.substr(i, after - i);
    i = after;
  }
  return result;
}

std::string with_home(const std::string& text) {
  const char* home = std::getenv("HOME");
  const bool own = text == "~" || text.starts_with("~/");
  return own && home != nullptr ? home + text.substr(1) : text;
}

fs::path normal(const fs::path& path) {
  const fs::path clean = path.lexically_normal();
  return clean.has_filename() ? clean : clean.parent_path();
}

void read_section(const fs::path& file, const YAML::Node& section, std::vector<ExtraModelFolder>& folders) {
  if (!section.IsMap()) refuse(file, section.Mark(), "a section holds names of folders with their paths");
  const fs::path here = fs::absolute(file).parent_path();
  fs::path base;
  if (const YAML::Node given = section["base_path"]) base = here / with_variables(with_home(given.as<std::string>()));
  const bool first = section["is_default"] && section["is_default"].as<bool>();
  for (const auto& member : section) {
    const auto name = member.first.as<std::string>();
    if (name == "base_path" || name == "is_default") continue;
    if (!member.second.IsScalar()) {
      refuse(file, member.second.Mark(), name + " holds one path, or several, one a line below \"" + name + ": |\"");
    }
    std::istringstream lines(member.second.as<std::string>());
    for (std::string line; std::getline(lines, line);) {
      if (!line.empty()) folders.push_back({name, normal((base.empty() ? here : base) / line), first});
    }
  }
}

}  // namespace

std::vector<ExtraModelFolder> read_extra_model_paths(const fs::path& file) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(file, error);
  std::ifstream stream(file, std::ios::binary);
  if (error || !stream) refuse(file, YAML::Mark::null_mark(), "can't be read; is the name right?");
  if (size > kLargestFile) refuse(file, YAML::Mark::null_mark(), "is larger than 1 MiB: that is no list of folders");
  std::vector<ExtraModelFolder> folders;
  try {
    const YAML::Node root = YAML::Load(stream);
    if (root.IsNull()) return folders;
    if (!root.IsMap()) refuse(file, root.Mark(), "the file holds sections, \"comfyui:\" say");
    for (const auto& section : root) {
      if (!section.second.IsNull()) read_section(file, section.second, folders);
    }
  } catch (const YAML::Exception& problem) {
    refuse(file, problem.mark, "no YAML as it is needed here: " + problem.msg);
  }
  return folders;
}

}  // namespace refrain
