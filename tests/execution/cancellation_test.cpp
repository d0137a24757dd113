// Stopping a run, and work that outlasts its node.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "execution/deferred_work.hpp"
#include "execution/test_nodes.hpp"

namespace refrain::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;

TEST(Cancellation, StopsANodeBeforeItsNextStep) {
  const auto runtime = make_runtime();
  CancelToken cancel;
  RecordingObserver observer;
  journal().on_step = [&](int step) {
    if (step == 1) cancel.cancel();
  };
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Steps", "inputs": {"count": 1000}},
    "2": {"class_type": "Steps", "inputs": {"count": 5}}})",
                               {.observer = &observer, .cancel = &cancel});
  EXPECT_EQ(report.outcome, RunOutcome::cancelled);
  EXPECT_TRUE(report.failures.empty());
  EXPECT_THAT(journal().lines(), ElementsAre("step 0", "step 1"));
  EXPECT_EQ(outcome_of(report, "1"), NodeOutcome::stopped);
  EXPECT_EQ(outcome_of(report, "2"), NodeOutcome::stopped);
  EXPECT_THAT(observer.events(), Contains("interrupted 1"));
  EXPECT_EQ(observer.events().back(), "run_end cancelled");
}

TEST(Cancellation, BeforeTheRunLetsNoNodeBegin) {
  const auto runtime = make_runtime();
  CancelToken cancel;
  cancel.cancel();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})",
                               {.cancel = &cancel});
  EXPECT_EQ(report.outcome, RunOutcome::cancelled);
  EXPECT_TRUE(journal().lines().empty());
}

TEST(Cancellation, IsNoFailureOfTheNodeThatStopped) {
  const auto runtime = make_runtime();
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Fail", "inputs": {"how": "cancelled"}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  EXPECT_EQ(report.outcome, RunOutcome::cancelled);
  EXPECT_TRUE(report.failures.empty());
}

TEST(Cancellation, LeavesTheRuntimeFitForTheNextRun) {
  const auto runtime = make_runtime();
  CancelToken cancel;
  journal().on_step = [&](int) { cancel.cancel(); };
  const char* const workflow = R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Steps", "inputs": {"value": ["1", 0]}}})";
  run(*runtime, workflow, {.cancel = &cancel});
  cancel.reset();
  journal().on_step = nullptr;
  journal().take();
  const RunReport report = run(*runtime, workflow, {.cancel = &cancel});
  EXPECT_EQ(report.outcome, RunOutcome::done);
  EXPECT_THAT(journal().lines(), ElementsAre("step 0", "step 1", "step 2"));  // 1 was kept
}

TEST(Progress, ReachesTheObserverStepByStep) {
  const auto runtime = make_runtime();
  RecordingObserver observer;
  run(*runtime, R"({"1": {"class_type": "Steps", "inputs": {"count": 2}}})", {.observer = &observer});
  EXPECT_THAT(observer.events(), ElementsAre("run_start 1", "executing 1", "progress 1 1/2", "progress 1 2/2",
                                             "log 1 all steps done", "executed 1", "run_end done"));
}

/// A gate that the test opens.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

TEST(DeferredWork, DoesNotHoldUpTheNextNode) {
  const auto runtime = make_runtime();
  Gate gate;
  journal().deferred = [&] { gate.pass(); };
  journal().on_step = [&](int) { gate.open(); };  // runs only if Later did not wait for its work
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Later", "inputs": {"value": ["1", 0]}},
    "3": {"class_type": "Number", "inputs": {"value": 2}},
    "4": {"class_type": "Add", "inputs": {"a": ["3", 0]}},
    "5": {"class_type": "Steps", "inputs": {"count": 1, "value": ["4", 0]}}})");
  EXPECT_EQ(report.outcome, RunOutcome::done);
  EXPECT_THAT(journal().lines(), Contains("later 1"));
}

TEST(DeferredWork, IsDoneWhenTheRunEndsAndSpeaksForItsNode) {
  const auto runtime = make_runtime();
  RecordingObserver observer;
  journal().deferred = [] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Later", "inputs": {"value": ["1", 0]}}})",
      {.observer = &observer});
  EXPECT_THAT(journal().lines(), ElementsAre("Number 1", "later 1"));
  EXPECT_THAT(observer.events(), Contains("log 2 written"));
}

TEST(DeferredWork, ThatThrowsFailsTheNodeThatQueuedIt) {
  const auto runtime = make_runtime();
  journal().deferred = [] { throw std::runtime_error("disk full"); };
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Later", "inputs": {"value": ["1", 0]}},
    "3": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})");
  EXPECT_EQ(report.outcome, RunOutcome::failed);
  ASSERT_EQ(report.failures.size(), 1u);
  EXPECT_EQ(report.failures[0].node_id, "2");
  EXPECT_EQ(report.failures[0].exception_message, "disk full");
  EXPECT_EQ(outcome_of(report, "2"), NodeOutcome::failed);
  EXPECT_EQ(outcome_of(report, "3"), NodeOutcome::run);
}

TEST(DeferredWork, ThatFailedLeavesNoResultToBeReused) {
  const auto runtime = make_runtime();
  const char* const workflow = R"({
    "1": {"class_type": "LaterPass", "inputs": {"value": 1}},
    "2": {"class_type": "Show", "inputs": {"value": ["1", 0]}}})";
  journal().deferred = [] { throw std::runtime_error("disk full"); };
  EXPECT_EQ(run(*runtime, workflow).outcome, RunOutcome::failed);
  journal().deferred = nullptr;
  journal().take();
  EXPECT_EQ(run(*runtime, workflow).outcome, RunOutcome::done);
  EXPECT_THAT(journal().lines(), Contains("LaterPass"));
}

TEST(DeferredWork, ThatHasNotStartedIsDroppedOnCancellationAndWhatHasStartedFinishes) {
  const auto runtime = make_runtime();
  CancelToken cancel;
  Gate started, go_on;
  std::atomic<int> done{0};
  journal().deferred = [&] {
    started.open();
    go_on.pass();
    ++done;
  };
  journal().on_step = [&](int) {
    started.pass();
    cancel.cancel();
    go_on.open();
  };
  const RunReport report = run(*runtime, R"({
    "1": {"class_type": "Number", "inputs": {"value": 1}},
    "2": {"class_type": "Later", "inputs": {"value": ["1", 0]}},
    "3": {"class_type": "Number", "inputs": {"value": 2}},
    "4": {"class_type": "Add", "inputs": {"a": ["3", 0]}},
    "5": {"class_type": "Steps", "inputs": {"count": 9, "value": ["4", 0]}}})",
                               {.cancel = &cancel});
  EXPECT_EQ(report.outcome, RunOutcome::cancelled);
  EXPECT_EQ(done.load(), 1);
}

TEST(DeferredWork, DropsTheQueueAndFinishesTheRunningJob) {
  DeferredWork work(4);
  Gate started, go_on;
  std::atomic<int> done{0};
  const auto never = [] { return false; };
  ASSERT_TRUE(work.submit(
      0,
      [&] {
        started.open();
        go_on.pass();
        ++done;
      },
      never));
  for (int i = 1; i < 4; ++i)
    ASSERT_TRUE(work.submit(
        1, [&] { ++done; }, never));
  started.pass();
  EXPECT_EQ(work.drop(), 3u);
  go_on.open();
  work.drain(never);
  EXPECT_EQ(done.load(), 1);
}

TEST(DeferredWork, GivesUpWaitingForRoomWhenCancelled) {
  DeferredWork work(1);
  Gate started, go_on;
  const auto never = [] { return false; };
  ASSERT_TRUE(work.submit(
      0,
      [&] {
        started.open();
        go_on.pass();
      },
      never));
  started.pass();
  ASSERT_TRUE(work.submit(
      0, [] {}, never));
  EXPECT_FALSE(work.submit(
      0, [] {}, [] { return true; }));
  go_on.open();
  work.drain(never);
}

TEST(DeferredWork, RunsAJobThatAJobHandsOverAtOnce) {
  DeferredWork work(1);
  std::atomic<bool> inner{false}, inner_before_outer_ended{false};
  const auto never = [] { return false; };
  work.submit(
      7,
      [&] {
        work.submit(
            7, [&] { inner = true; }, never);
        inner_before_outer_ended = inner.load();
      },
      never);
  work.drain(never);
  EXPECT_TRUE(inner_before_outer_ended);
}

TEST(DeferredWork, OfManyNodesIsAllDone) {
  DeferredWork work(2);
  std::atomic<int> done{0};
  for (int i = 0; i < 500; ++i)
    work.submit(
        0, [&] { ++done; }, [] { return false; });
  work.drain([] { return false; });
  EXPECT_EQ(done.load(), 500);
}

}  // namespace
}  // namespace refrain::testing
