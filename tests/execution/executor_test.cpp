// What runs, in which order, and what each node sees.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "execution/test_nodes.hpp"
#include "planning/execution_plan.hpp"

namespace refrain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Executor, RunsWhatTheOutputsNeedAndNothingElse) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Number", "inputs": {"value": 2}},
    "3": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  EXPECT_EQ(report.outcome, RunOutcome::done);
  EXPECT_THAT(journal().lines(), ElementsAre("Number 1", "Show 1"));
}

TEST(Executor, RunsEveryOutputNode) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}},
    "3": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Number 1", "Show 1", "Show 1"));
}

TEST(Executor, PrefersNodesCloseToAnOutputSoThatPicturesComeEarly) {
  const auto runtime = make_runtime();
  // Output 3 comes of a chain of three, output 5 of one node: 5 is ready first and is not kept waiting.
  run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Add", "inputs": {"a": ["1", 0]}},
    "6": {"class_type": "Add", "inputs": {"a": ["2", 0], "b": 5}},
    "3": {"class_type": "Show", "inputs": {"value": ["6", 0]}},
    "4": {"class_type": "Number", "inputs": {"value": 4}},
    "5": {"class_type": "Show", "inputs": {"value": ["4", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Number 4", "Show 4", "Number 1", "Add 1 0", "Add 1 5", "Show 6"));
}

TEST(Executor, TakesEqualChoicesInTheOrderInWhichComfyUiAddsThem) {
  const auto runtime = make_runtime();
  // ComfyUI walks the links from the output and takes the last input's source from its stack first.
  run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Number", "inputs": {"value": 2}},
    "3": {"class_type": "Two", "inputs": {"a": ["1", 0], "b": ["2", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Number 2", "Number 1", "Two 1 2"));
}

TEST(Executor, ReadsTheOutputThatTheLinkNames) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Pair", "inputs": {"value": 10}},
    "2": {"class_type": "Two", "inputs": {"a": ["1", 1], "b": ["1", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Pair", "Two 11 10"));
}

TEST(Executor, FillsInTheDefaultOfAParameterThatTheFileLeavesOut) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Add", "inputs": {"a": 4}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Add 4 0", "Show 4"));
}

TEST(Executor, HandsUndeclaredLinksToTheNode) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 3}},
    "2": {"class_type": "Number", "inputs": {"value": 4}},
    "3": {"class_type": "SumUndeclared", "inputs": {"x": ["1", 0], "y": ["2", 0]}},
    "4": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})");
  EXPECT_EQ(journal().lines().back(), "Show 7");
}

TEST(Executor, TellsEqualNodesOnceAndGivesTheirResultToAllReaders) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 3}},
    "2": {"class_type": "Number", "inputs": {"value": 3}},
    "3": {"class_type": "Add", "inputs": {"a": ["1", 0], "b": ["2", 0]}},
    "4": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Number 3", "Add 3 3", "Show 6"));
  EXPECT_EQ(report.count(NodeOutcome::reused), 1u);
  EXPECT_EQ(report.count(NodeOutcome::run), 3u);
}

TEST(Executor, DropsAValueAfterItsLastReader) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Counted", "inputs": {}},
    "2": {"class_type": "UseCounted", "inputs": {"counted": ["1", 0]}},
    "3": {"class_type": "UseCounted", "inputs": {"counted": ["1", 0], "after": ["2", 0]}},
    "4": {"class_type": "Alive", "inputs": {"value": ["3", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("alive 1", "alive 1", "alive 0"));
}

TEST(Executor, DropsAValueWhoseRemainingReadersCannotRun) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Counted", "inputs": {}},
    "2": {"class_type": "UseCounted", "inputs": {"counted": ["1", 0]}},
    "3": {"class_type": "Fail", "inputs": {"how": "node", "value": ["2", 0]}},
    "4": {"class_type": "UseCounted", "inputs": {"counted": ["1", 0], "after": ["3", 0]}},
    "5": {"class_type": "Show", "inputs": {"value": ["4", 0]}}})");
  EXPECT_EQ(journal().alive.load(), 0);
}

TEST(HiddenInputs, CarryTheWorkflowAndTheNodesId) {
  const auto runtime = make_runtime();
  Workflow workflow = runtime->parse(R"({
    "7:2": {"class_type": "WhoAmI", "inputs": {}},
    "2": {"class_type": "Show", "inputs": {"value": ["7:2", 0]}},
    "3": {"class_type": "ShowPrompt", "inputs": {}}})",
                                     "test.json");
  workflow.set_ui_workflow("{\"nodes\": []}");
  const CheckedWorkflow checked = runtime->check(std::move(workflow));
  ASSERT_TRUE(checked.runnable());
  runtime->run(checked);
  const std::string all = joined(journal().lines());
  EXPECT_THAT(all, HasSubstr("Show 7:2"));
  EXPECT_THAT(all, HasSubstr("{\"7:2\": {"));
  EXPECT_THAT(all, HasSubstr("workflow={\"nodes\": []}"));
}

TEST(LazyInputs, AreComputedOnlyWhenTheNodeAsksForThem) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Number", "inputs": {"value": 2}},
    "5": {"class_type": "Add", "inputs": {"a": ["2", 0]}},
    "3": {"class_type": "Switch", "inputs": {"pick": true, "on_true": ["1", 0], "on_false": ["5", 0]}},
    "4": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Number 1", "Switch", "Show 1"));
  EXPECT_EQ(outcome_of(report, "2"), NodeOutcome::not_needed);
  EXPECT_EQ(outcome_of(report, "5"), NodeOutcome::not_needed);
}

TEST(LazyInputs, AreAskedForAgainUntilTheNodeNamesNothingNew) {
  const auto runtime = make_runtime();
  const char* const workflow = R"({
    "1": {"class_type": "Number", "inputs": {"value": %}},
    "2": {"class_type": "Number", "inputs": {"value": 20}},
    "3": {"class_type": "Chain", "inputs": {"first": ["1", 0], "second": ["2", 0]}},
    "4": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})";
  const auto with = [&](const char* value) {
    std::string text = workflow;
    return text.replace(text.find('%'), 1, value);
  };
  run(*runtime, with("0"));
  EXPECT_THAT(journal().take(), ElementsAre("Number 0", "Chain first", "Show 0"));
  run(*runtime, with("5"));
  EXPECT_THAT(journal().take(), ElementsAre("Number 5", "Number 20", "Chain both", "Show 5"));
}

TEST(LazyInputs, OfBothBranchesAreComputedForAListThatWantsBoth) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Spread", "inputs": {"count": 2}},
    "2": {"class_type": "Number", "inputs": {"value": 20}},
    "3": {"class_type": "Number", "inputs": {"value": 30}},
    "4": {"class_type": "Switch", "inputs": {"pick": ["5", 0], "on_true": ["2", 0], "on_false": ["3", 0]}},
    "5": {"class_type": "IsOdd", "inputs": {"value": ["1", 0]}},
    "6": {"class_type": "Show", "inputs": {"value": ["4", 0]}}})");
  EXPECT_EQ(report.outcome, RunOutcome::done);
  const auto lines = journal().lines();
  EXPECT_EQ(std::count(lines.begin(), lines.end(), "Switch"), 2);
  EXPECT_EQ(lines.at(lines.size() - 2), "Show 30");
  EXPECT_EQ(lines.back(), "Show 20");
}

TEST(LazyInputs, AreAnnouncedAsExecutingTwiceLikeInComfyUi) {
  const auto runtime = make_runtime();
  RecordingObserver observer;
  run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Number", "inputs": {"value": 2}},
    "3": {"class_type": "Switch", "inputs": {"pick": false, "on_true": ["1", 0], "on_false": ["2", 0]}},
    "4": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})",
      {.observer = &observer});
  EXPECT_THAT(observer.events(),
              ElementsAre("run_start 2", "executing 3", "executing 2", "executed 2", "executing 3", "executed 3",
                          "executing 4", "executed 4 {\"text\": [\"2\"]}", "run_end done"));
}

TEST(Observers, AreGivenWhatEachNodeGave) {
  class Catcher final : public RunObserver {
   public:
    void produced(const NodeRef& node, std::span<const std::vector<Value>> outputs) override {
      for (const auto& slot : outputs) {
        for (const Value& value : slot)
          given.emplace_back(std::string(node.id) + "=" + std::to_string(value.as<std::int64_t>()));
      }
    }
    std::vector<std::string> given;
  };
  const auto runtime = make_runtime();
  Catcher catcher;
  run(*runtime, R"({
    "1": {"class_type": "Spread", "inputs": {"count": 2}},
    "2": {"class_type": "Add", "inputs": {"a": ["1", 0], "b": 5}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})",
      {.observer = &catcher});
  EXPECT_THAT(catcher.given, ElementsAre("1=0", "1=1", "2=5", "2=6"));
}

TEST(Lists, RunANodeOnceForEachItemOfTheLongestInput) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Spread", "inputs": {"count": 3}},
    "2": {"class_type": "Spread", "inputs": {"count": 2}},
    "3": {"class_type": "Add", "inputs": {"a": ["1", 0], "b": ["2", 0]}},
    "4": {"class_type": "Show", "inputs": {"value": ["3", 0]}}})");
  // The shorter list repeats its last item: 0+0, 1+1, 2+1.
  EXPECT_THAT(journal().lines(), ElementsAre("Add 0 0", "Add 1 1", "Add 2 1", "Show 0", "Show 2", "Show 3"));
  EXPECT_EQ(report.outcome, RunOutcome::done);
}

TEST(Lists, GoWholeToANodeThatTakesLists) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Spread", "inputs": {"count": 4}},
    "2": {"class_type": "SumAll", "inputs": {"values": ["1", 0], "plus": 100}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("SumAll of 4", "Show 106"));
}

TEST(Lists, OfAListOutputAreJoinedOverTheCalls) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "Spread", "inputs": {"count": 2}},
    "2": {"class_type": "Twice", "inputs": {"value": ["1", 0]}},
    "3": {"class_type": "SumAll", "inputs": {"values": ["2", 0]}},
    "4": {"class_type": "Two", "inputs": {"a": ["2", 0], "b": ["3", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("SumAll of 4", "Two 0 2", "Two 0 2", "Two 1 2", "Two 1 2"));
}

TEST(Lists, ThatAreEmptyReachANodeThatTakesListsAndFailOneThatDoesNot) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Spread", "inputs": {"count": 0}},
    "2": {"class_type": "SumAll", "inputs": {"values": ["1", 0], "plus": 7}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}},
    "4": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("SumAll of 0", "Show 7"));
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].node_id, "4");
  EXPECT_EQ(report.failures[0].code, "empty_list");
}

TEST(Lists, JoinWhatTheCallsShowUnderOneKey) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Spread", "inputs": {"count": 3}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  ASSERT_EQ(report.ui.size(), 1u);
  EXPECT_EQ(report.ui[0].second, R"({"text": ["0", "1", "2"]})");
  EXPECT_EQ(report.nodes[1].calls, 3u);
}

TEST(RunReport, SaysWhatRanAndWhatItCostAsJson) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Reports", "inputs": {"value": ["1", 0]}, "_meta": {"title": "My \"report\""}}})");
  const std::string json = report.json();
  EXPECT_THAT(json, HasSubstr("\"outcome\": \"done\""));
  EXPECT_THAT(json, HasSubstr("\"kind\": \"numbers\""));
  EXPECT_THAT(json, HasSubstr("\"macs\": 5"));
  EXPECT_THAT(json, HasSubstr("My \\\"report\\\""));
  EXPECT_GT(report.peak_memory, 1u << 20);
  ASSERT_EQ(report.records.size(), 1u);
  EXPECT_EQ(report.records[0].node.id, "2");
}

}  // namespace
}  // namespace refrain::testing
