// The code in plugin/README.md is nodes/template, word for word: what is shown is what is built and tested.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include "plugins/plugin_folder.hpp"

namespace refrain {
namespace {

const std::filesystem::path kRoot = REFRAIN_SOURCE_DIR;

/// The code blocks that stand behind a comment with a file's name.
std::map<std::string, std::string> named_blocks(const std::string& markdown) {
  std::map<std::string, std::string> blocks;
  std::istringstream lines(markdown);
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("<!-- ") && line.ends_with(" -->")) {
      name = line.substr(5, line.size() - 9);
    } else if (line.starts_with("```") && !name.empty()) {
      std::string& block = blocks[name];
      while (std::getline(lines, line) && line != "```") block += line + "\n";
      name.clear();
    }
  }
  return blocks;
}

TEST(PluginReadme, ShowsTheTemplatesWordForWord) {
  for (const auto& [name, code] : named_blocks(read_bytes(kRoot / "plugin/README.md"))) {
    EXPECT_EQ(code, read_bytes(kRoot / name)) << name;
  }
}

TEST(PluginReadme, ShowsEveryFileOfBothTemplates) {
  const auto blocks = named_blocks(read_bytes(kRoot / "plugin/README.md"));
  std::size_t files = 0;
  for (const char* folder : {"nodes/template/node", "nodes/template/policy"}) {
    for (const auto& entry : std::filesystem::directory_iterator(kRoot / folder)) {
      EXPECT_TRUE(blocks.contains(entry.path().lexically_relative(kRoot).string())) << entry.path();
      ++files;
    }
  }
  EXPECT_EQ(files, blocks.size());
}

}  // namespace
}  // namespace refrain
