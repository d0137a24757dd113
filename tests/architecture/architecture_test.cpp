// Who may include whom, and other rules of the house that a machine can check.

#include "architecture/source_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::architecture {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const std::filesystem::path kRoot = REFRAIN_SOURCE_DIR;

const std::vector<SourceFile>& sources() {
  static const std::vector<SourceFile> files = read_source_tree(kRoot);
  return files;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

bool is_below_any(std::string_view path, const std::vector<std::string_view>& folders) {
  return std::any_of(folders.begin(), folders.end(), [&](auto folder) { return is_below(path, folder); });
}

/// "nodes/latents" of "nodes/latents/empty.cpp".
std::string node_library(std::string_view path) {
  const auto end = path.find('/', std::string_view("nodes/").size());
  return std::string(path.substr(0, end));
}

/// The folders of ours that a product file may include; a test may include any.
std::vector<std::string> allowed_folders(std::string_view path) {
  if (is_below(path, "plugin/sdk")) return {"plugin/sdk"};
  if (is_below(path, "nodes/diffusion")) return {"nodes/diffusion"};
  if (is_below(path, "graph-runtime")) return {"graph-runtime", "plugin/sdk"};
  if (is_below(path, "nodes")) {
    // nodes/files is no library: helpers that several node libraries compile in.
    return {node_library(path), "nodes/files", "nodes/diffusion/include", "plugin/sdk"};
  }
  return {"plugin", "nodes", "graph-runtime", "tests"};
}

/// What is wrong with the includes of `file`, one line each.
std::vector<std::string> breaches(const SourceFile& file) {
  std::vector<std::string> found;
  const auto allowed = allowed_folders(file.path);
  for (const Include& include : file.includes) {
    const std::string target = resolve(kRoot, file.path, include.target);
    if (target.empty()) continue;
    if (std::none_of(allowed.begin(), allowed.end(), [&](const auto& folder) { return is_below(target, folder); })) {
      found.push_back(file.path + ":" + std::to_string(include.line) + " includes " + target);
    }
  }
  return found;
}

/// Everybody outside `folders` who includes a header that begins with `prefix`.
std::vector<std::string> strangers_to(std::string_view prefix, const std::vector<std::string_view>& folders) {
  std::vector<std::string> found;
  for (const SourceFile& file : sources()) {
    if (is_below_any(file.path, folders) || is_below(file.path, "tests")) continue;
    for (const Include& include : file.includes) {
      if (include.target.starts_with(prefix)) found.push_back(file.path + ":" + std::to_string(include.line));
    }
  }
  return found;
}

/// Product files in which `word` stands.
std::vector<std::string> files_with(std::string_view word) {
  std::vector<std::string> found;
  for (const SourceFile& file : sources()) {
    // This file has to name the words.
    if (file.path != "tests/architecture/architecture_test.cpp" && file.text.find(word) != std::string::npos) {
      found.push_back(file.path);
    }
  }
  return found;
}

TEST(SourceTree, HoldsTheCodeOfEveryPart) {
  for (const char* folder : {"plugin/sdk", "nodes/diffusion", "graph-runtime", "tests"}) {
    EXPECT_TRUE(
        std::any_of(sources().begin(), sources().end(), [&](const auto& file) { return is_below(file.path, folder); }))
        << "no source file found below " << folder;
  }
}

TEST(SourceTree, FindsIncludesInBothFormsWithTheirLines) {
  const auto found =
      find_includes("#pragma once\n#include <vector>\n  #  include \"graph/order.hpp\"  // why\nint a;\n");
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].target, "vector");
  EXPECT_EQ(found[0].line, 2);
  EXPECT_EQ(found[1].target, "graph/order.hpp");
  EXPECT_EQ(found[1].line, 3);
}

TEST(SourceTree, LeavesOutIncludesInComments) {
  EXPECT_THAT(find_includes("// #include <a>\n/*\n#include <b>\n*/\nint include;\n"), IsEmpty());
  EXPECT_THAT(find_includes("/* one line */\n#include <c>\n"), SizeIs(1));
}

TEST(SourceTree, ResolvesOnlyFilesOfOurs) {
  EXPECT_EQ(resolve(kRoot, "tests/architecture/architecture_test.cpp", "architecture/source_tree.hpp"),
            "tests/architecture/source_tree.hpp");
  EXPECT_EQ(resolve(kRoot, "tests/architecture/architecture_test.cpp", "vector"), "");
}

TEST(Architecture, ABreachIsNoticed) {
  SourceFile file;
  file.path = "graph-runtime/graph/example.cpp";
  file.includes = {{"refrain/diffusion/unet.hpp", 3}, {"vector", 4}};
  EXPECT_THAT(breaches(file), ElementsAre("graph-runtime/graph/example.cpp:3 includes "
                                          "nodes/diffusion/include/refrain/diffusion/unet.hpp"));
}

TEST(Architecture, EveryPartIncludesOnlyWhatItMay) {
  for (const SourceFile& file : sources()) {
    EXPECT_THAT(breaches(file), IsEmpty())
        << file.path << " may include: " << ::testing::PrintToString(allowed_folders(file.path));
  }
}

TEST(Architecture, NobodyIncludesALaterStageOfTheRuntime) {
  // The way of the data: a stage knows those before it.
  const std::vector<std::string> stages = {"graph-runtime/graph",    "graph-runtime/json",      "graph-runtime/plugins",
                                           "graph-runtime/planning", "graph-runtime/execution", "graph-runtime/apps"};
  const auto stage_of = [&](const std::string& path) {
    return std::find_if(stages.begin(), stages.end(), [&](const auto& stage) { return is_below(path, stage); }) -
           stages.begin();
  };
  for (const SourceFile& file : sources()) {
    if (!is_below_any(file.path, {"graph-runtime"})) continue;
    for (const Include& include : file.includes) {
      const std::string target = resolve(kRoot, file.path, include.target);
      if (!is_below(target, "graph-runtime") || is_below(target, "graph-runtime/include")) continue;
      EXPECT_LE(stage_of(target), stage_of(file.path)) << file.path << ":" << include.line << " includes " << target;
    }
  }
}

TEST(Architecture, OnlyTwoPlacesKnowTheJsonLibrary) {
  EXPECT_THAT(strangers_to("nlohmann/", {"graph-runtime/json", "nodes/diffusion/weights"}), IsEmpty());
}

TEST(Architecture, OnlyTheLoaderKnowsBoost) {
  EXPECT_THAT(
      strangers_to("boost/", {"graph-runtime/plugins", "nodes/diffusion/samplers", "nodes/diffusion/schedules"}),
      IsEmpty());
}

TEST(Architecture, OnlyTheReaderOfModelPathsKnowsYaml) {
  EXPECT_THAT(strangers_to("yaml-cpp/", {"graph-runtime/execution"}), IsEmpty());
}

TEST(Architecture, OnlyProgramsKnowTheCommandLineParser) {
  EXPECT_THAT(strangers_to("CLI/", {"graph-runtime/apps/cli", "nodes/diffusion/tools"}), IsEmpty());
}

TEST(Architecture, NobodyIncludesAllOfTorch) {
  for (const char* header : {"torch/torch.h", "torch/extension.h", "torch/all.h", "ATen/ATen.h"}) {
    EXPECT_THAT(strangers_to(header, {}), IsEmpty()) << header << " costs seconds for each file that includes it";
  }
}

TEST(HouseRules, EveryHeaderIsIncludedOnce) {
  for (const SourceFile& file : sources()) {
    if (file.is_header()) {
      EXPECT_NE(file.text.find("#pragma once"), std::string::npos) << file.path;
    }
  }
}

TEST(HouseRules, NoNamespaceIsEmptiedIntoEverybodys) { EXPECT_THAT(files_with("using namespace std;"), IsEmpty()); }

TEST(HouseRules, NothingIsLeftForLater) {
  for (const char* word : {"TODO", "FIXME", "HACK", "XXX"}) EXPECT_THAT(files_with(word), IsEmpty()) << word;
}

TEST(HouseRules, NoFileKnowsTheMachineItWasWrittenOn) {
  for (const char* word : {"/home/", "/root/", "/Users/"}) EXPECT_THAT(files_with(word), IsEmpty()) << word;
}

TEST(HouseRules, NoFileIsPast600Lines) {
  for (const SourceFile& file : sources()) {
    EXPECT_LE(file.lines, 600) << file.path << ": one concept a file; split it";
    // Below that length is a matter of taste, so it is only told.
    const int limit = file.is_header() ? 250 : 400;
    if (file.lines > limit) {
      std::cout << "note: " << file.path << " has " << file.lines << " lines (" << limit << " are long)\n";
    }
  }
}

}  // namespace
}  // namespace refrain::architecture
