#include "architecture/source_tree.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

namespace refrain::architecture {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBlank = " \t";

std::string_view without_leading_blanks(std::string_view text) {
  const auto start = text.find_first_not_of(kBlank);
  return start == std::string_view::npos ? std::string_view{} : text.substr(start);
}

/// `#  include <x>` or `"x"` -> x.
std::optional<std::string> included_by(std::string_view line) {
  line = without_leading_blanks(line);
  if (!line.starts_with('#')) return std::nullopt;
  line = without_leading_blanks(line.substr(1));
  constexpr std::string_view kKeyword = "include";
  if (!line.starts_with(kKeyword)) return std::nullopt;
  line = without_leading_blanks(line.substr(kKeyword.size()));
  if (line.empty() || (line[0] != '<' && line[0] != '"')) return std::nullopt;
  const auto end = line.find(line[0] == '<' ? '>' : '"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(line.substr(1, end - 1));
}

bool is_source(const fs::path& path) {
  const auto extension = path.extension();
  return extension == ".hpp" || extension == ".cpp" || extension == ".cu" || extension == ".cuh";
}

std::string read(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::vector<Include> find_includes(std::string_view text) {
  std::vector<Include> found;
  bool in_comment = false;
  int number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (!in_comment) {
      if (auto target = included_by(line)) found.push_back({*std::move(target), number});
    }
    // The last mark decides; marks inside string literals don't occur beside an include.
    const auto opens = line.rfind("/*");
    const auto closes = line.rfind("*/");
    if (opens != std::string_view::npos && (closes == std::string_view::npos || closes < opens)) {
      in_comment = line.substr(0, opens).find("//") == std::string_view::npos;
    } else if (closes != std::string_view::npos) {
      in_comment = false;
    }
  }
  return found;
}

std::vector<SourceFile> read_source_tree(const fs::path& root) {
  std::vector<SourceFile> files;
  for (const char* folder : {"plugin", "nodes", "graph-runtime", "tests"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      SourceFile file;
      file.path = fs::relative(entry.path(), root).generic_string();
      file.text = read(entry.path());
      file.includes = find_includes(file.text);
      file.lines = static_cast<int>(std::count(file.text.begin(), file.text.end(), '\n'));
      files.push_back(std::move(file));
    }
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::string resolve(const fs::path& root, const std::string& from, const std::string& target) {
  // The include folders of the build, and the folder of the including file itself.
  const fs::path candidates[] = {
      fs::path(from).parent_path(), "plugin/sdk/include", "plugin/sdk",
      "nodes/diffusion/include",    "nodes/diffusion",    "nodes",
      "graph-runtime/include",      "graph-runtime",      "tests",
  };
  for (const auto& folder : candidates) {
    const fs::path path = (folder / target).lexically_normal();
    if (fs::is_regular_file(root / path)) return path.generic_string();
  }
  return {};
}

}  // namespace refrain::architecture
