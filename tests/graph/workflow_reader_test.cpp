#include "json/workflow_reader.hpp"

#include <gtest/gtest.h>

#include "graph/workflow_error.hpp"

namespace refrain {
namespace {

std::string code_of(std::string_view text) {
  try {
    parse_workflow(text, "x.json");
  } catch (const WorkflowReadError& error) {
    return error.code();
  }
  return "";
}

template <class T>
T input(const WorkflowGraph& graph, std::size_t node, std::size_t position) {
  return std::get<T>(graph.nodes.at(node).inputs.at(position).value);
}

constexpr const char* kText = R"({
  "b": {"class_type": "X", "inputs": {"n": null, "t": true, "i": -3, "u": 18446744073709551615, "f": 8.0,
        "s": "text", "link": ["a", 1], "o": {"k": [1, 2]}, "w": {"__value__": ["a", 0]}, "bad": ["a", 1.0],
        "big": 18446744073709551616}},
  "a": {"inputs": {}, "is_changed": [1], "class_type": "Y", "_meta": {"title": "A title", "z": 1}}
})";

TEST(WorkflowReader, KeepsTheOrderOfTheText) {
  const WorkflowGraph graph = parse_workflow(kText, "x.json");
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].id, "b");
  EXPECT_EQ(graph.nodes[0].inputs[1].name, "t");
  EXPECT_EQ(graph.index.at("a"), 1u);
  EXPECT_EQ(graph.nodes[1].title, "A title");
}

TEST(WorkflowReader, KeepsEveryKindOfValue) {
  const WorkflowGraph graph = parse_workflow(kText, "x.json");
  EXPECT_NO_THROW(input<std::monostate>(graph, 0, 0));
  EXPECT_EQ(input<bool>(graph, 0, 1), true);
  EXPECT_EQ(input<std::int64_t>(graph, 0, 2), -3);
  EXPECT_EQ(input<std::uint64_t>(graph, 0, 3), UINT64_MAX);
  EXPECT_EQ(input<double>(graph, 0, 4), 8.0);
  EXPECT_EQ(input<std::string>(graph, 0, 5), "text");
  EXPECT_EQ(input<LinkRef>(graph, 0, 6).node, "a");
  EXPECT_EQ(input<LinkRef>(graph, 0, 6).slot, 1);
  EXPECT_EQ(input<LinkRef>(graph, 0, 6).target, 1u);
  EXPECT_EQ(input<RawJson>(graph, 0, 7).text, "{\"k\": [1, 2]}");
  EXPECT_EQ(input<RawJson>(graph, 0, 8).text, "[\"a\", 0]") << "a wrapped list is no link";
  EXPECT_EQ(input<MalformedLink>(graph, 0, 9).size, 2u);
  EXPECT_EQ(input<RawJson>(graph, 0, 10).text, "18446744073709551616");
}

TEST(WorkflowReader, KnowsThePlaceOfNodesTypesAndInputs) {
  const WorkflowGraph graph = parse_workflow(kText, "x.json");
  EXPECT_EQ(graph.nodes[0].position.line, 2u);
  EXPECT_EQ(graph.nodes[0].position.column, 8u);
  EXPECT_EQ(graph.nodes[0].class_type_position.column, 23u);
  EXPECT_EQ(graph.nodes[0].inputs[6].position.line, 3u);
  EXPECT_EQ(graph.nodes[0].inputs[6].position.column, 30u);
  EXPECT_EQ(graph.nodes[1].position.line, 5u);
}

TEST(WorkflowReader, KeepsOtherMembersForThePromptAlone) {
  const WorkflowGraph graph = parse_workflow(kText, "x.json");
  EXPECT_TRUE(graph.nodes[0].members.empty()) << "class_type and inputs in this order need no note";
  ASSERT_EQ(graph.nodes[1].members.size(), 4u);
  EXPECT_EQ(graph.nodes[1].members[1].name, "is_changed");
  EXPECT_EQ(graph.nodes[1].members[1].json, "[1]");
  EXPECT_EQ(graph.nodes[1].members[2].json, "");
  EXPECT_EQ(graph.nodes[1].members[3].json, "{\"title\": \"A title\", \"z\": 1}");
}

TEST(WorkflowReader, TakesTheLastOfMembersWithOneNameAtThePlaceOfTheFirst) {
  const WorkflowGraph graph = parse_workflow(
      R"({"1": {"class_type": "A", "inputs": {"x": 1}}, "2": {"class_type": "B", "inputs": {"y": 1, "z": 2, "y": 3}},
          "1": {"class_type": "C", "inputs": {}}})",
      "x.json");
  ASSERT_EQ(graph.nodes.size(), 2u);
  EXPECT_EQ(graph.nodes[0].class_type, "C");
  EXPECT_EQ(graph.index.at("1"), 0u);
  EXPECT_EQ(graph.index.at("2"), 1u);
  ASSERT_EQ(graph.nodes[1].inputs.size(), 2u);
  EXPECT_EQ(input<std::int64_t>(graph, 1, 0), 3);
}

TEST(WorkflowReader, ReadsTheBodyOfARequest) {
  const WorkflowGraph graph = parse_workflow(
      R"({"prompt": {"1": {"class_type": "A", "inputs": {}}},
          "extra_data": {"extra_pnginfo": {"workflow": {"nodes":[], "version": 0.4}}}})",
      "x.json");
  EXPECT_EQ(graph.nodes.size(), 1u);
  EXPECT_EQ(graph.root_pointer, "/prompt");
  EXPECT_EQ(graph.workflow_json, "{\"nodes\": [], \"version\": 0.4}");
}

TEST(WorkflowReader, ReadsANodeWhoseIdIsPrompt) {
  EXPECT_EQ(parse_workflow(R"({"prompt": {"class_type": "A", "inputs": {}}})", "x").nodes[0].id, "prompt");
}

TEST(WorkflowReader, TellsTheFormatsApart) {
  EXPECT_EQ(code_of("{"), "workflow_invalid_json");
  EXPECT_EQ(code_of(""), "workflow_empty");
  EXPECT_EQ(code_of("{}"), "workflow_empty");
  EXPECT_EQ(code_of("{\"prompt\": {}}"), "workflow_empty");
  EXPECT_EQ(code_of("{\"nodes\": [], \"links\": [], \"version\": 0.4}"), "workflow_not_api_format");
  EXPECT_EQ(code_of("3"), "workflow_not_api_format");
  EXPECT_EQ(code_of("{\"1\": 3}"), "workflow_not_api_format");
  EXPECT_EQ(code_of("{\"1\": {\"inputs\": 3}}"), "prompt_rejected");
}

}  // namespace
}  // namespace refrain
