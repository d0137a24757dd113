// What a second run takes from the first, and what it must not.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>

#include "execution/test_nodes.hpp"
#include "support/temporary_folder.hpp"

namespace refrain::testing {
namespace {

using ::testing::ElementsAre;

std::string adding(const std::string& a, const std::string& b, const std::string& prefix = "") {
  return R"({")" + prefix + R"(1": {"class_type": "Number", "inputs": {"value": )" + a + R"(}},
    ")" + prefix +
         R"(2": {"class_type": "Add", "inputs": {"a": [")" + prefix + R"(1", 0], "b": )" + b + R"(}},
    ")" + prefix +
         R"(3": {"class_type": "Show", "inputs": {"value": [")" + prefix + R"(2", 0]}}})";
}

TEST(Reuse, RunsOnlyTheOutputNodesOfAnUnchangedWorkflow) {
  const auto runtime = make_runtime();
  run(*runtime, adding("1", "2"));
  journal().take();
  const RunReport report = run(*runtime, adding("1", "2"));
  EXPECT_THAT(journal().lines(), ElementsAre("Show 3"));
  EXPECT_EQ(outcome_of(report, "2"), NodeOutcome::reused);
  EXPECT_EQ(outcome_of(report, "1"), NodeOutcome::not_needed);
}

TEST(Reuse, IsGivenUpForNodesThatAreAskedFor) {
  const auto runtime = make_runtime();
  run(*runtime, adding("1", "2"));
  journal().take();
  RunOptions options;
  options.recompute = [](const NodeRef& node) { return node.id == "2"; };
  const RunReport report = runtime->run(runtime->check(runtime->parse(adding("1", "2"), "again.json")), options);
  EXPECT_THAT(journal().take(), ElementsAre("Add 1 2", "Show 3"));
  EXPECT_EQ(outcome_of(report, "1"), NodeOutcome::reused);
  EXPECT_EQ(outcome_of(report, "2"), NodeOutcome::run);
}

TEST(Reuse, DoesNotCareForNodeIds) {
  const auto runtime = make_runtime();
  run(*runtime, adding("1", "2"));
  journal().take();
  run(*runtime, adding("1", "2", "other:"));
  EXPECT_THAT(journal().lines(), ElementsAre("Show 3"));
}

TEST(Reuse, DoesNotCareForTheOrderOfInputs) {
  const auto runtime = make_runtime();
  run(*runtime, R"({"1": {"class_type": "Add", "inputs": {"a": 1, "b": 2}},
                    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  journal().take();
  run(*runtime, R"({"2": {"class_type": "Show", "inputs": {"value": ["1", 0]}},
                    "1": {"class_type": "Add", "inputs": {"b": 2, "a": 1}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("Show 3"));
}

TEST(Reuse, RunsWhatDependsOnAChangedLiteral) {
  const auto runtime = make_runtime();
  run(*runtime, adding("1", "2"));
  journal().take();
  run(*runtime, adding("1", "5"));
  EXPECT_THAT(journal().take(), ElementsAre("Add 1 5", "Show 6"));
  run(*runtime, adding("9", "5"));
  EXPECT_THAT(journal().take(), ElementsAre("Number 9", "Add 9 5", "Show 14"));
}

TEST(Reuse, TellsApartWhichOutputALinkReads) {
  const auto runtime = make_runtime();
  const auto workflow = [](const char* slot) {
    return std::string(R"({"1": {"class_type": "Pair", "inputs": {"value": 10}},
      "2": {"class_type": "Add", "inputs": {"a": ["1", )") +
           slot + R"(]}},
      "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})";
  };
  run(*runtime, workflow("0"));
  journal().take();
  run(*runtime, workflow("1"));
  EXPECT_THAT(journal().lines(), ElementsAre("Add 11 0", "Show 11"));
}

TEST(Reuse, RunsAgainWhenAFileHasChanged) {
  const TemporaryFolder folder;
  const auto file = folder.write("models/checkpoints/a.safetensors", "first");
  const auto runtime = make_runtime({.model_folders = {folder / "models"}});
  const char* const workflow = R"({
    "1": {"class_type": "ReadFile", "inputs": {"file": "a.safetensors"}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";
  run(*runtime, workflow);
  run(*runtime, workflow);
  EXPECT_THAT(journal().take(), ElementsAre("ReadFile first", "Show first", "Show first"));
  folder.write("models/checkpoints/a.safetensors", "other");  // as long as before: only the time tells
  std::filesystem::last_write_time(file, std::filesystem::last_write_time(file) + std::chrono::seconds(2));
  run(*runtime, workflow);
  EXPECT_THAT(journal().take(), ElementsAre("ReadFile other", "Show other"));
}

TEST(Reuse, RunsAgainWhenTheNodeSaysThatItHasChanged) {
  const auto runtime = make_runtime();
  const char* const workflow = R"({
    "1": {"class_type": "Watched", "inputs": {"value": 1}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";
  journal().fingerprint = "a";
  run(*runtime, workflow);
  run(*runtime, workflow);
  EXPECT_THAT(journal().take(), ElementsAre("Watched", "Show 1", "Show 1"));
  journal().fingerprint = "b";
  run(*runtime, workflow);
  EXPECT_THAT(journal().take(), ElementsAre("Watched", "Show 1"));
}

TEST(Reuse, NeverKeepsWhatIsNeverTheSameNorWhatCannotTell) {
  for (const char* fingerprint : {"always", "throw"}) {
    const auto runtime = make_runtime();
    journal().fingerprint = fingerprint;
    const char* const workflow = R"({
      "1": {"class_type": "Watched", "inputs": {"value": 1}},
      "2": {"class_type": "Add", "inputs": {"a": ["1", 0]}},
      "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})";
    run(*runtime, workflow);
    journal().take();
    run(*runtime, workflow);
    EXPECT_THAT(journal().take(), ElementsAre("Watched", "Add 1 0", "Show 1")) << fingerprint;
  }
}

TEST(Reuse, NeverKeepsWhatSeesTheWorkflow) {
  const auto runtime = make_runtime();
  const char* const workflow = R"({
    "1": {"class_type": "SeesPrompt", "inputs": {}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";
  run(*runtime, workflow);
  EXPECT_EQ(journal().take().size(), 2u);
  run(*runtime, workflow);
  EXPECT_EQ(journal().take().size(), 2u);
}

TEST(Reuse, KeepsWhatSeesItsIdForThatIdAlone) {
  const auto runtime = make_runtime();
  const auto workflow = [](const std::string& id) {
    return R"({")" + id + R"(": {"class_type": "WhoAmI", "inputs": {}},
      "z": {"class_type": "Show", "inputs": {"value": [")" +
           id + R"(", 0]}}})";
  };
  run(*runtime, workflow("a"));
  run(*runtime, workflow("a"));
  run(*runtime, workflow("b"));
  EXPECT_THAT(journal().lines(), ElementsAre("WhoAmI", "Show a", "Show a", "WhoAmI", "Show b"));
}

TEST(Reuse, DoesNotShareResultsOfNodesThatAreNotIdempotent) {
  const auto runtime = make_runtime();
  run(*runtime, R"({
    "1": {"class_type": "NotTheSame", "inputs": {"value": 1}},
    "2": {"class_type": "NotTheSame", "inputs": {"value": 1}},
    "3": {"class_type": "Two", "inputs": {"a": ["1", 0], "b": ["2", 0]}}})");
  EXPECT_THAT(journal().lines(), ElementsAre("NotTheSame", "NotTheSame", "Two 1 1"));
}

TEST(Reuse, ServesALazyInputFromTheCacheToo) {
  const auto runtime = make_runtime();
  const auto workflow = [](const char* pick, const char* plus) {
    return std::string(R"({
      "1": {"class_type": "Number", "inputs": {"value": 1}},
      "2": {"class_type": "Number", "inputs": {"value": 2}},
      "3": {"class_type": "Switch", "inputs": {"pick": )") +
           pick + R"(, "on_true": ["1", 0], "on_false": ["2", 0]}},
      "4": {"class_type": "Add", "inputs": {"a": ["3", 0], "b": )" +
           plus + R"(}},
      "5": {"class_type": "Show", "inputs": {"value": ["4", 0]}}})";
  };
  run(*runtime, workflow("true", "0"));
  run(*runtime, workflow("false", "0"));
  journal().take();
  RecordingObserver observer;
  run(*runtime, workflow("true", "7"), {.observer = &observer});
  EXPECT_THAT(journal().take(), ElementsAre("Add 1 7", "Show 8"));
  EXPECT_EQ(observer.events().at(1), "cached 3");
}

TEST(Reuse, KeepsNothingWithACacheOfNoBytes) {
  const auto runtime = make_runtime({.cache_bytes = 0});
  run(*runtime, adding("1", "2"));
  journal().take();
  const RunReport report = run(*runtime, adding("1", "2"));
  EXPECT_THAT(journal().lines(), ElementsAre("Number 1", "Add 1 2", "Show 3"));
  EXPECT_EQ(report.kept_bytes, 0u);
}

TEST(Reuse, DropsTheLeastRecentlyUsedResultFirst) {
  const auto runtime = make_runtime({.cache_bytes = 2'500'000});  // two blobs fit, three do not
  const auto blob = [](const char* seed) {
    return std::string(R"({"1": {"class_type": "Blob", "inputs": {"bytes": 1000000, "seed": )") + seed + R"(}},
      "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";
  };
  run(*runtime, blob("1"));
  run(*runtime, blob("2"));
  run(*runtime, blob("1"));  // now 2 is the older one
  run(*runtime, blob("3"));
  journal().take();
  run(*runtime, blob("1"));
  EXPECT_THAT(journal().take(), ElementsAre("Show BLOB"));
  run(*runtime, blob("2"));
  EXPECT_THAT(journal().take(), ElementsAre("Blob 2", "Show BLOB"));
}

TEST(Reuse, CountsMemoryThatTwoResultsShareOnce) {
  const auto runtime = make_runtime({.cache_bytes = 1'500'000});
  const char* const workflow = R"({
    "1": {"class_type": "Blob", "inputs": {"bytes": 1000000}},
    "2": {"class_type": "ShareBlob", "inputs": {"blob": ["1", 0]}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})";
  const RunReport report = run(*runtime, workflow);
  EXPECT_GT(report.kept_bytes, 1'000'000u);
  EXPECT_LT(report.kept_bytes, 1'100'000u);
}

TEST(Reuse, CountsTheStorageOfTensors) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Tensor", "inputs": {"bytes": 8000000}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  EXPECT_GE(report.kept_bytes, 8'000'000u);
  EXPECT_LT(report.kept_bytes, 8'100'000u);
}

TEST(Reuse, ForgetsEverythingWhenAsked) {
  const auto runtime = make_runtime();
  run(*runtime, adding("1", "2"));
  runtime->clear_cache();
  journal().take();
  run(*runtime, adding("1", "2"));
  EXPECT_EQ(journal().lines().size(), 3u);
}

TEST(Reuse, KeepsWhatWasDoneBeforeAFailure) {
  const auto runtime = make_runtime();
  const char* const workflow = R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Fail", "inputs": {"how": "node", "value": ["1", 0]}},
    "3": {"class_type": "Show", "inputs": {"value": ["2", 0]}}})";
  run(*runtime, workflow);
  journal().take();
  run(*runtime, workflow);
  EXPECT_THAT(journal().lines(), ElementsAre("Fail node"));
}

}  // namespace
}  // namespace refrain::testing
