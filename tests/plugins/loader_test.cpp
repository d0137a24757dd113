#include <refrain/plugin.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "plugins/loader.hpp"
#include "plugins/plugin_folder.hpp"

namespace refrain {
namespace {

using ::testing::ElementsAre;

TEST(Loader, LoadsAllLibrariesOfAFolderByName) {
  const PluginFolder folder;
  folder.copy("several", "b.so");
  folder.copy("good", "a.so");
  folder.write("notes.txt", "no library, and not looked at");
  Registry registry;
  const PluginPlace place{folder.path(), "test", true, false};
  const PluginReport report = load_plugins(registry, {&place, 1});
  EXPECT_TRUE(report.refused.empty());
  ASSERT_EQ(report.loaded.size(), 2u);
  EXPECT_EQ(report.loaded[0].name, "good");
  EXPECT_EQ(report.loaded[0].version, "1.0.0");
  EXPECT_EQ(report.loaded[0].file, folder.path() / "a.so");
  EXPECT_THAT(report.loaded[1].nodes, ElementsAre("SeveralFirst", "SeveralSecond"));
  EXPECT_GT(report.loaded[0].milliseconds, 0);
  EXPECT_TRUE(registry.sealed());
}

TEST(Loader, TakesAPlaceThatIsOneLibrary) {
  Registry registry;
  const PluginPlace place{built_library("good"), "--plugin-path", true, false};
  EXPECT_EQ(load_plugins(registry, {&place, 1}).loaded.size(), 1u);
}

TEST(Loader, TellsWhereANodeTypeComesFrom) {
  Registry registry;
  PluginLoader loader(registry);
  loader.load_file(built_library("good"));
  const NodeType* type = registry.find("GoodNode");
  ASSERT_NE(type, nullptr);
  EXPECT_EQ(type->library, "good");
  EXPECT_EQ(type->library_version, "1.0.0");
  EXPECT_EQ(type->library_file, built_library("good"));
  EXPECT_EQ(type->schema.category, "test");
  EXPECT_NE(type->identity, 0u);
}

TEST(Loader, GivesAChangedFileAnotherIdentity) {
  const PluginFolder folder;
  const auto identity = [&](const std::string& bytes) {
    const auto file = folder.write("good" + std::to_string(bytes.size()) + ".so", bytes);
    Registry registry;
    PluginLoader loader(registry);
    loader.load_file(file);
    const NodeType* type = registry.find("GoodNode");
    return type ? type->identity : 0;
  };
  const std::string bytes = read_bytes(built_library("good"));
  const auto first = identity(bytes);
  const auto second = identity(bytes + std::string(1, '\0'));
  EXPECT_NE(first, 0u);
  EXPECT_NE(second, 0u);
  EXPECT_NE(first, second);
}

TEST(Loader, LoadsNodesThatRun) {
  Registry registry;
  PluginLoader loader(registry);
  loader.load_file(built_library("good"));
  const NodeType* type = registry.find("GoodNode");
  ASSERT_NE(type, nullptr);
  const std::unique_ptr<Node, void (*)(Node*)> node(type->entry->create(), type->entry->destroy);
  const std::vector<Value> gain{Value::make(21.0)};
  const std::vector<Slot> inputs{{"gain", gain}};
  std::vector<std::vector<Value>> outputs(1);
  Frame frame;
  frame.inputs = inputs;
  frame.outputs = &outputs;
  frame.schema = &type->schema;
  Context ctx(frame);
  node->run(ctx);
  EXPECT_EQ(outputs[0].at(0).as<double>(), 42.0);
}

TEST(Loader, KeepsNodesUsableAfterItIsGone) {
  Registry registry;
  {
    PluginLoader loader(registry);
    loader.load_file(built_library("several"));
  }
  const NodeType* type = registry.find("SeveralFirst");
  ASSERT_NE(type, nullptr);
  Schema schema;
  type->entry->describe(schema);
  EXPECT_EQ(schema.outputs.at(0).type.name, "STRING");
}

TEST(Loader, KnowsTheLibtorchThatItRunsOn) { EXPECT_EQ(this_runtime().torch, TORCH_VERSION); }

}  // namespace
}  // namespace refrain
