// Graphs of 100,000 nodes: anything that recursed over them would run out of stack.

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "graph/stub_nodes.hpp"

namespace refrain::test {
namespace {

constexpr int kNodes = 100'000;

std::string node(const std::string& id, const char* type, const std::string& inputs) {
  std::ostringstream text;
  text << '"' << id << R"(":{"class_type":")" << type << R"(","inputs":{)" << inputs << "}}";
  return text.str();
}

std::string link(const char* name, int source) {
  std::ostringstream text;
  text << '"' << name << R"(":[")" << source << R"(",0])";
  return text.str();
}

// Written with the output first, so that the search goes through the whole chain before it comes back.
std::string chain(int last_source) {
  std::string text = "{" + node("out", "Show", link("value", kNodes - 1));
  for (int i = kNodes - 1; i > 0; --i) (text += ",") += node(std::to_string(i), "Pass", link("value", i - 1));
  return text + "," + node("0", "Pass", last_source < 0 ? "\"value\":1" : link("value", last_source)) + "}";
}

TEST(LargeGraph, AChainOf100000NodesIsPlanned) {
  const ValidationResult result = validate_text(chain(-1));
  ASSERT_TRUE(result.plan) << render(result.diagnostics);
  EXPECT_EQ(result.plan->nodes().size(), kNodes + 1u);
  EXPECT_EQ(result.plan->nodes().front().id, "0");
  EXPECT_EQ(result.plan->nodes().back().id, "out");
  EXPECT_EQ(result.plan->prompt_json().substr(0, 24), "{\"out\": {\"class_type\": \"");
}

TEST(LargeGraph, ACycleOf100000NodesIsOneShortMessage) {
  const ValidationResult result = validate_text(chain(kNodes - 1));
  ASSERT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.diagnostics[0].type, "dependency_cycle");
  EXPECT_LT(render(result.diagnostics).size(), 500u);
}

TEST(LargeGraph, AWideGraphOf100000OutputsNamesThemAll) {
  std::string text = "{" + node("0", "LoraNames", "\"lora_name\":\"no\"");
  for (int i = 1; i < kNodes; ++i) (text += ",") += node(std::to_string(i), "Show", link("value", 0));
  const ValidationResult result = validate_text(text + "}");
  ASSERT_EQ(result.diagnostics.size(), 1u);
  EXPECT_EQ(result.diagnostics[0].dependent_outputs.size(), kNodes - 1u);
}

TEST(LargeGraph, ANodeOf100000InputsIsRead) {
  std::string inputs = "\"value\":1";
  for (int i = 0; i < kNodes; ++i) ((inputs += ",\"stray") += std::to_string(i)) += "\":1";
  const ValidationResult result = validate_text("{" + node("1", "Show", inputs) + "}");
  ASSERT_TRUE(result.plan);
  EXPECT_EQ(result.plan->nodes()[0].input_count, 1u);
}

}  // namespace
}  // namespace refrain::test
