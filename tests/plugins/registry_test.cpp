#include <gtest/gtest.h>

#include "plugins/registry.hpp"

namespace refrain {
namespace {

std::vector<std::unique_ptr<NodeType>> types(std::initializer_list<const char*> names) {
  std::vector<std::unique_ptr<NodeType>> all;
  for (const char* name : names) {
    all.push_back(std::make_unique<NodeType>());
    all.back()->schema.name = name;
  }
  return all;
}

TEST(Registry, FindsTypesByName) {
  Registry registry;
  registry.add(types({"Beta", "Alpha"}));
  ASSERT_NE(registry.find("Beta"), nullptr);
  EXPECT_EQ(registry.find("Beta")->schema.name, "Beta");
  EXPECT_EQ(registry.find("beta"), nullptr);
}

TEST(Registry, ListsTypesByNameAcrossLibraries) {
  Registry registry;
  registry.add(types({"Gamma", "Alpha"}));
  registry.add(types({"Beta"}));
  ASSERT_EQ(registry.types().size(), 3u);
  EXPECT_EQ(registry.types()[0]->schema.name, "Alpha");
  EXPECT_EQ(registry.types()[1]->schema.name, "Beta");
  EXPECT_EQ(registry.types()[2]->schema.name, "Gamma");
}

TEST(Registry, AddsAllTypesOrNone) {
  Registry registry;
  registry.add(types({"Alpha"}));
  EXPECT_THROW(registry.add(types({"Beta", "Alpha"})), std::logic_error);
  EXPECT_EQ(registry.find("Beta"), nullptr);
  EXPECT_EQ(registry.types().size(), 1u);
}

TEST(Registry, TakesNothingOnceSealed) {
  Registry registry;
  registry.seal();
  EXPECT_TRUE(registry.sealed());
  EXPECT_THROW(registry.add(types({"Alpha"})), std::logic_error);
}

}  // namespace
}  // namespace refrain
