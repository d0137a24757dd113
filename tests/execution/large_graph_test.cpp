// Graphs far larger than anybody draws: nothing may recurse over them.

#include <gtest/gtest.h>

#include <string>

#include "execution/test_nodes.hpp"

namespace refrain::testing {
namespace {

constexpr int kLength = 100'000;

/// first -> Add -> Add -> ... -> last
std::string chain(const std::string& first, const std::string& last) {
  std::string text = "{\"0\": " + first;
  for (int i = 1; i < kLength; ++i) {
    text += ",\n\"" + std::to_string(i) + "\": {\"class_type\": \"Increment\", \"inputs\": {\"value\": [\"" +
            std::to_string(i - 1) + "\", 0]}}";
  }
  return text + ",\n\"end\": {\"class_type\": \"" + last + "\", \"inputs\": {\"value\": [\"" +
         std::to_string(kLength - 1) + "\", 0]}}}";
}

TEST(LargeGraph, ChainOf100000NodesRuns) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, chain(R"({"class_type": "Number", "inputs": {"value": 1}})", "Show"));
  EXPECT_EQ(report.outcome, RunOutcome::done);
  EXPECT_EQ(journal().lines().back(), "Show " + std::to_string(kLength));
  EXPECT_EQ(report.count(NodeOutcome::run), static_cast<std::size_t>(kLength) + 1);
}

TEST(LargeGraph, ChainOf100000NodesIsReused) {
  const auto runtime = make_runtime();
  const std::string text = chain(R"({"class_type": "Number", "inputs": {"value": 1}})", "Show");
  run(*runtime, text);
  const RunReport report = run(*runtime, text);
  EXPECT_EQ(report.count(NodeOutcome::run), 1u);
  EXPECT_EQ(report.count(NodeOutcome::reused), 1u);
}

TEST(LargeGraph, ChainOf100000NodesFailsAsAWhole) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, chain(R"({"class_type": "Fail", "inputs": {"how": "node"}})", "Show"));
  EXPECT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.count(NodeOutcome::skipped), static_cast<std::size_t>(kLength));
}

TEST(LargeGraph, ChainOf100000NodesIsCancelled) {
  const auto runtime = make_runtime();
  CancelToken cancel;
  journal().on_step = [&](int) { cancel.cancel(); };
  const std::string text = chain(R"({"class_type": "Number", "inputs": {"value": 1}})", "Show");
  const std::string both = text.substr(0, text.size() - 1) + R"(, "stop": {"class_type": "Steps", "inputs": {}}})";
  const RunReport report = run(*runtime, both, {.cancel = &cancel});
  EXPECT_EQ(report.outcome, RunOutcome::cancelled);
  EXPECT_GE(report.count(NodeOutcome::stopped), static_cast<std::size_t>(kLength));
}

TEST(LargeGraph, LazyChainOf100000NodesIsNotNeeded) {
  const auto runtime = make_runtime();
  std::string text = chain(R"({"class_type": "Number", "inputs": {"value": 1}})", "Increment");
  text.pop_back();
  text += R"(, "other": {"class_type": "Number", "inputs": {"value": 5}},
    "switch": {"class_type": "Switch", "inputs": {"pick": true, "on_true": ["other", 0], "on_false": ["end", 0]}},
    "show": {"class_type": "Show", "inputs": {"value": ["switch", 0]}}})";
  const RunReport report = run(*runtime, text);
  EXPECT_EQ(report.count(NodeOutcome::not_needed), static_cast<std::size_t>(kLength) + 1);
}

TEST(LargeGraph, ManyFailuresAreAllRecordedAndTheRecordsStaySmall) {
  const auto runtime = make_runtime();
  std::string text = "{\"n\": {\"class_type\": \"Number\", \"inputs\": {}}";
  for (int i = 0; i < 3000; ++i) {
    const std::string id = std::to_string(i);
    text += ",\"f" + id + "\": {\"class_type\": \"Fail\", \"inputs\": {\"how\": \"node\", \"value\": [\"i" + id +
            "\", 0]}}, \"i" + id + "\": {\"class_type\": \"Add\", \"inputs\": {\"a\": [\"n\", 0], \"b\": " + id +
            "}}, \"s" + id + "\": {\"class_type\": \"Show\", \"inputs\": {\"value\": [\"f" + id + "\", 0]}}";
  }
  const RunReport report = run(*runtime, text + "}");
  EXPECT_EQ(report.failures.size(), 3000u);
  EXPECT_LT(report.json().size(), 10u << 20);
}

}  // namespace
}  // namespace refrain::testing
