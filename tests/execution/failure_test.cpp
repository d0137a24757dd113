// A node that fails: whom it takes along, what is said, and that nothing else suffers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/errors.hpp>

#include <string>

#include "execution/memory_guard.hpp"
#include "execution/test_nodes.hpp"

namespace refrain::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

std::string failing(const std::string& how) {
  return R"({"1": {"class_type": "Fail", "inputs": {"how": ")" + how + R"("}, "_meta": {"title": "Trouble"}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";
}

NodeFailure failure_of(const std::string& how) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, failing(how));
  EXPECT_EQ(report.outcome, RunOutcome::failed);
  EXPECT_EQ(outcome_of(report, "1"), NodeOutcome::failed);
  EXPECT_EQ(outcome_of(report, "2"), NodeOutcome::skipped);
  EXPECT_EQ(report.failures.size(), 1u);
  return report.failures.at(0);
}

TEST(Failure, OfANodeSkipsItsDependantsAndNothingElse) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Fail", "inputs": {"how": "node"}},
    "2": {"class_type": "Add", "inputs": {"a": ["1", 0]}},
    "3": {"class_type": "Add", "inputs": {"a": ["1", 0], "b": 1}},
    "4": {"class_type": "Two", "inputs": {"a": ["2", 0], "b": ["3", 0]}},
    "5": {"class_type": "Number", "inputs": {"value": 5}},
    "6": {"class_type": "Show", "inputs": {"value": ["5", 0]}}})");
  EXPECT_EQ(report.outcome, RunOutcome::failed);
  for (const char* skipped : {"2", "3", "4"}) EXPECT_EQ(outcome_of(report, skipped), NodeOutcome::skipped) << skipped;
  EXPECT_EQ(outcome_of(report, "6"), NodeOutcome::run);
  EXPECT_EQ(report.failures.size(), 1u);
}

TEST(Failure, LeavesOutWhatOnlySkippedNodesWouldHaveRead) {
  const auto runtime = make_runtime();
  // 3 is ready as soon as 1 is; when 1 fails nobody needs it any more.
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Fail", "inputs": {"how": "node"}},
    "3": {"class_type": "Number", "inputs": {"value": 3}},
    "4": {"class_type": "Two", "inputs": {"a": ["3", 0], "b": ["1", 0]}}})");
  EXPECT_EQ(outcome_of(report, "3"), NodeOutcome::not_needed);
  EXPECT_THAT(journal().lines(), ElementsAre("Fail node"));
}

TEST(Failure, IsRecordedAsComfyUiDoes) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "0": {"class_type": "Number", "inputs": {"value": 7}},
    "1": {"class_type": "Fail", "inputs": {"how": "node", "value": ["0", 0]}, "_meta": {"title": "Trouble"}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  ASSERT_EQ(report.failures.size(), 1u);
  const NodeFailure& failure = report.failures[0];
  EXPECT_EQ(failure.node_id, "1");
  EXPECT_EQ(failure.node_type, "Fail");
  EXPECT_EQ(failure.node_title, "Trouble");
  EXPECT_EQ(failure.exception_type, "NodeError");
  EXPECT_EQ(failure.exception_message, "this node fails");
  EXPECT_EQ(failure.code, "test_failure");
  EXPECT_THAT(failure.current_inputs, ElementsAre(Pair("how", ElementsAre("node")), Pair("value", ElementsAre("7"))));
  EXPECT_THAT(failure.executed, ElementsAre("0"));
  EXPECT_THAT(failure.current_outputs, ElementsAre("0"));
  EXPECT_THAT(failure.traceback, ElementsAre(HasSubstr("in-process 1.0.0")));
  EXPECT_EQ(failure.describe(), "Node 1 'Trouble' (Fail) failed: this node fails [test_failure]");
}

TEST(Failure, OfTorchIsToldWithoutItsBacktrace) {
  const NodeFailure failure = failure_of("torch");
  EXPECT_EQ(failure.exception_type, "c10::Error");
  EXPECT_THAT(failure.exception_message, AllOf(HasSubstr("invalid for input of size 4"), Not(HasSubstr("frame #"))));
}

TEST(Failure, OfTheStandardLibraryKeepsItsClass) {
  const NodeFailure failure = failure_of("standard");
  EXPECT_EQ(failure.exception_type, "std::out_of_range");
  EXPECT_EQ(failure.exception_message, "beyond the end");
  EXPECT_EQ(failure.code, "node_failed");
}

TEST(Failure, ByAnObjectThatIsNoExceptionIsCaughtToo) {
  const NodeFailure failure = failure_of("object");
  EXPECT_THAT(failure.exception_type, HasSubstr("Unforeseen"));
  EXPECT_EQ(failure.code, "node_failed");
}

TEST(Failure, ByAMissingOutputNamesTheOutput) {
  const NodeFailure failure = failure_of("unset");
  EXPECT_EQ(failure.code, "missing_output");
  EXPECT_THAT(failure.exception_message, HasSubstr("'INT'"));
}

TEST(Failure, ByWantOfMemorySaysSo) { EXPECT_EQ(failure_of("memory").code, "out_of_memory"); }

TEST(Failure, ByWantOfMemoryIsTriedAgainOnceKeptResultsAreDropped) {
  const auto runtime = make_runtime();
  const char* const workflow = R"({
    "1": {"class_type": "Fail", "inputs": {"how": "memory_once"}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";
  EXPECT_EQ(run(*runtime, workflow).outcome, RunOutcome::failed);  // nothing was kept that could have gone
  run(*runtime, R"({"1": {"class_type": "Blob", "inputs": {"bytes": 1000000}},
                    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  journal().short_of_memory = true;
  const RunReport report = run(*runtime, workflow);
  EXPECT_EQ(report.outcome, RunOutcome::done);
  EXPECT_LT(report.kept_bytes, 1'000'000u);
}

TEST(Failure, OfAnAbsurdAllocationIsRefusedBeforeItIsTried) {
  const NodeFailure failure = failure_of("huge");
  EXPECT_EQ(failure.code, "out_of_memory");
  EXPECT_EQ(failure.exception_type, "NodeError");  // ours: torch's allocator was not asked
  EXPECT_THAT(failure.exception_message, AllOf(HasSubstr("4.0 PiB asked for"), HasSubstr("free")));
}

TEST(Failure, OfALazilyAskedSourceSkipsTheNodeThatAsked) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Fail", "inputs": {"how": "node"}},
    "2": {"class_type": "Number", "inputs": {"value": 2}},
    "3": {"class_type": "Switch", "inputs": {"pick": true, "on_true": ["1", 0], "on_false": ["2", 0]}},
    "4": {"class_type": "Switch", "inputs": {"pick": false, "on_true": ["1", 0], "on_false": ["2", 0]}},
    "5": {"class_type": "Show", "inputs": {"value": ["3", 0]}},
    "6": {"class_type": "Show", "inputs": {"value": ["4", 0]}}})");
  EXPECT_EQ(outcome_of(report, "3"), NodeOutcome::skipped);
  EXPECT_EQ(outcome_of(report, "5"), NodeOutcome::skipped);
  EXPECT_EQ(outcome_of(report, "6"), NodeOutcome::run);
}

TEST(Failure, OfASourceThatFailedEarlierSkipsTheNodeThatAsksLater) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Fail", "inputs": {"how": "node"}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}},
    "3": {"class_type": "Number", "inputs": {"value": 2}},
    "4": {"class_type": "Add", "inputs": {"a": ["3", 0]}},
    "5": {"class_type": "Chain", "inputs": {"first": ["4", 0], "second": ["1", 0]}},
    "6": {"class_type": "Show", "inputs": {"value": ["5", 0]}}})");
  EXPECT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(outcome_of(report, "5"), NodeOutcome::skipped);
  EXPECT_EQ(outcome_of(report, "6"), NodeOutcome::skipped);
  EXPECT_EQ(outcome_of(report, "4"), NodeOutcome::run);
}

TEST(Failure, WithLongValuesStaysShort) {
  const auto runtime = make_runtime();
  const std::string text(100'000, 'x');
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Text", "inputs": {"text": ")" +
                                             text + R"("}},
    "2": {"class_type": "Fail", "inputs": {"how": "node", "value": ["1", 0]}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})");
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_LT(report.failures[0].current_inputs.at(1).second.at(0).size(), 300u);
  EXPECT_LT(report.failures[0].describe().size(), 4000u);
}

TEST(MemoryGuard, KnowsWhatIsFree) {
  const auto free = available_memory();
  ASSERT_TRUE(free.has_value());
  EXPECT_GT(*free, std::uint64_t{1} << 20);
  EXPECT_LT(*free, std::uint64_t{1} << 50);
}

TEST(MemoryGuard, RefusesMoreThanIsFreeAndLetsTheRestPass) {
  EXPECT_NO_THROW(require_available_memory(1 << 20, "a test"));
  EXPECT_THROW(require_available_memory(std::uint64_t{1} << 60, "a test"), NodeError);
}

}  // namespace
}  // namespace refrain::testing
