#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/search_path.hpp"

namespace refrain {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> paths(const std::vector<PluginPlace>& places) {
  std::vector<std::string> all;
  for (const PluginPlace& place : places) all.push_back(place.path.string());
  return all;
}

TEST(SearchPath, GoesFromTheCommandLineOverTheEnvironmentToTheSystem) {
  const auto places = plugin_places({"/given"}, "/opt/refrain/bin/refrain", {"/env/a:/env/b", "/data", "/somebody"});
  EXPECT_THAT(paths(places),
              ElementsAre("/given", "/env/a", "/env/b", "/data/refrain/nodes", "/opt/refrain/lib/refrain/nodes"));
  EXPECT_EQ(places[0].origin, "--plugin-path");
  EXPECT_EQ(places[1].origin, "REFRAIN_PLUGIN_PATH");
  EXPECT_TRUE(places[1].required);
  EXPECT_FALSE(places[3].required);
  EXPECT_FALSE(places[3].trusted);
  EXPECT_TRUE(places[4].trusted);
}

TEST(SearchPath, SplitsAtColonsAndSkipsEmptyEntries) {
  EXPECT_THAT(paths(plugin_places({"/a::/b:"}, "", {})), ElementsAre("/a", "/b"));
}

TEST(SearchPath, TakesTheUsersDefaultFolderWithoutXdg) {
  EXPECT_THAT(paths(plugin_places({}, "", {"", "", "/somebody"})), ElementsAre("/somebody/.local/share/refrain/nodes"));
  EXPECT_THAT(paths(plugin_places({}, "", {"", "relative", "/somebody"})),
              ElementsAre("/somebody/.local/share/refrain/nodes"));
}

TEST(SearchPath, LeavesOutAFolderThatComesAgain) {
  EXPECT_THAT(paths(plugin_places({"/a/b", "/a/./b"}, "", {"/a/b/", "", ""})), ElementsAre("/a/b"));
}

TEST(SearchPath, KnowsTheRunningProgram) { EXPECT_EQ(this_executable().filename(), "plugins_test"); }

}  // namespace
}  // namespace refrain
