#include "graph/graph_order.hpp"

#include <gtest/gtest.h>

#include "json/workflow_reader.hpp"

namespace refrain {
namespace {

// "a: b c" says that a needs b and c.
WorkflowGraph graph_of(const std::vector<std::pair<std::string, std::vector<std::string>>>& nodes) {
  std::string text = "{";
  for (const auto& [id, sources] : nodes) {
    text += (text.size() > 1 ? ",\"" : "\"") + id + "\":{\"class_type\":\"X\",\"inputs\":{";
    for (std::size_t i = 0; i < sources.size(); ++i) {
      text += (i ? ",\"i" : "\"i") + std::to_string(i) + "\":[\"" + sources[i] + "\",0]";
    }
    text += "}}";
  }
  return parse_workflow(text + "}", "x");
}

std::string order(const WorkflowGraph& graph, std::vector<std::uint32_t> roots) {
  std::string text;
  for (std::uint32_t node : order_from(graph, roots).nodes) text += graph.nodes[node].id + " ";
  return text;
}

TEST(GraphOrder, PutsSourcesBeforeReaders) {
  EXPECT_EQ(order(graph_of({{"a", {"b", "c"}}, {"b", {"d"}}, {"c", {"d"}}, {"d", {}}}), {0}), "d b c a ");
}

TEST(GraphOrder, LeavesOutWhatNoRootNeeds) {
  EXPECT_EQ(order(graph_of({{"a", {"b"}}, {"b", {}}, {"c", {"a"}}}), {0}), "b a ");
}

TEST(GraphOrder, KeepsTheOrderOfTheFileWhereItCanRun) {
  EXPECT_EQ(
      order(graph_of({{"load", {}}, {"x", {}}, {"s1", {"load"}}, {"s2", {"load"}}, {"o1", {"s1"}}, {"o2", {"s2"}}}),
            {4, 5}),
      "load s1 s2 o1 o2 ");
}

TEST(GraphOrder, ElseFinishesOneRootBeforeTheNextBegins) {
  EXPECT_EQ(order(graph_of({{"o1", {"s1"}}, {"o2", {"s2"}}, {"s2", {"load"}}, {"s1", {"load"}}, {"load", {}}}), {0, 1}),
            "load s1 o1 s2 o2 ");
}

TEST(GraphOrder, SkipsLinksToMissingNodes) {
  EXPECT_EQ(order(graph_of({{"a", {"nobody", "b"}}, {"b", {}}}), {0}), "b a ");
}

TEST(GraphOrder, FindsEveryCycleThatClosesOnTheWay) {
  const WorkflowGraph graph = graph_of({{"a", {"b"}}, {"b", {"c", "b"}}, {"c", {"a"}}});
  const GraphOrder result = order_from(graph, std::vector<std::uint32_t>{0});
  ASSERT_EQ(result.cycles.size(), 2u);
  EXPECT_EQ(result.cycles[0], (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(result.cycles[1], (std::vector<std::uint32_t>{1}));
}

TEST(GraphOrder, StopsCountingCyclesAtItsLimit) {
  std::vector<std::pair<std::string, std::vector<std::string>>> nodes;
  for (int i = 0; i < 100; ++i) nodes.push_back({std::to_string(i), {std::to_string(i)}});
  std::vector<std::uint32_t> roots(100);
  for (std::uint32_t i = 0; i < 100; ++i) roots[i] = i;
  EXPECT_EQ(order_from(graph_of(nodes), roots).cycles.size(), GraphOrder::kMostCycles);
}

}  // namespace
}  // namespace refrain
