#pragma once
// The project's own C++ files and what they include.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::architecture {

/// One `#include`: what stands between the brackets or quotes, and its line, from 1.
struct Include {
  std::string target;
  int line = 0;
};

/// One C++ file. `path` is relative to the root of the project, with '/' between folders.
struct SourceFile {
  std::string path;
  std::string text;
  std::vector<Include> includes;
  int lines = 0;

  bool is_header() const { return path.ends_with(".hpp"); }
};

/// The includes of a text, those in comments left out.
std::vector<Include> find_includes(std::string_view text);

/// All .hpp, .cpp, .cu and .cuh files below the project's code folders, sorted by path.
std::vector<SourceFile> read_source_tree(const std::filesystem::path& root);

/// The project's file that `target` names when `from` includes it, relative to the root; empty for a foreign header.
std::string resolve(const std::filesystem::path& root, const std::string& from, const std::string& target);

}  // namespace refrain::architecture
