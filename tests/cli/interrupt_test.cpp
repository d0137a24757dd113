// Ctrl-C: exit code 130 within a sampler step, and no partial file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/types.h>

#include <csignal>

#include "cli/workspace.hpp"

namespace refrain::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// Enough steps that the run is still going on when the signal comes.
Json long_workflow() {
  Json workflow = small_workflow();
  workflow["3"]["inputs"]["steps"] = 10000;
  return workflow;
}

/// Sends a signal once, as soon as the sampler's first line has come (nothing is drawn to a file before).
class SignalAfter {
 public:
  SignalAfter(const Workspace& space, int signal)
      : marker_(space.folder / "output/first_00001_.latent"), signal_(signal) {}
  bool operator()(int process) const {
    if (!std::filesystem::exists(marker_)) return false;
    ::kill(process, signal_);
    return true;
  }

 private:
  std::filesystem::path marker_;
  int signal_;
};

/// The long workflow, with an output that needs no sampling and so tells that the run has begun.
Json marked_workflow() {
  Json workflow = long_workflow();
  workflow["20"] =
      Json::parse(R"({"class_type": "SaveLatent", "inputs": {"samples": ["5", 0], "filename_prefix": "first"}})");
  return workflow;
}

class Interrupted : public ::testing::TestWithParam<int> {};

TEST_P(Interrupted, StopsWith130AndLeavesNoPartialFile) {
  const Workspace space;
  space.write("workflow.json", marked_workflow());
  CommandOptions options;
  options.meanwhile = SignalAfter(space, GetParam());
  const Outcome outcome = space.run({"run", "workflow.json", "--report", "report.json"}, options);
  EXPECT_EQ(outcome.code, 130) << outcome.errors;
  EXPECT_EQ(space.outputs(), std::vector<std::string>{"first_00001_.latent"});
  EXPECT_EQ(Json::parse(read_text(space.folder / "report.json")).at("runs").at(0).at("report").at("outcome"),
            "cancelled");
}

INSTANTIATE_TEST_SUITE_P(BySignal, Interrupted, ::testing::Values(SIGINT, SIGTERM));

TEST(InterruptedRun, DoesNotBeginTheNextWorkflow) {
  const Workspace space;
  space.write("a.json", marked_workflow());
  Json next = latent_workflow();
  space.write("b.json", next);
  CommandOptions options;
  options.meanwhile = SignalAfter(space, SIGINT);
  EXPECT_EQ(space.run({"run", "a.json", "b.json"}, options).code, 130);
  EXPECT_EQ(space.outputs(), std::vector<std::string>{"first_00001_.latent"});
}

TEST(InterruptedTwice, EndsAtOnceAsIfNobodyHadWatched) {
  const Workspace space;
  // A step of this size takes most of a second: the second signal comes while the first one still waits for its end.
  Json heavy = marked_workflow();
  heavy["5"]["inputs"]["width"] = heavy["5"]["inputs"]["height"] = 768;
  space.write("workflow.json", heavy);
  CommandOptions options;
  options.meanwhile = [&space, calls = 0](int process) mutable {
    constexpr int kSecond = 10;  // a few milliseconds each: two signals at one time would count as one
    if (!std::filesystem::exists(space.folder / "output/first_00001_.latent")) return false;
    if (calls == 0 || calls == kSecond) ::kill(process, SIGINT);
    return calls++ == kSecond;
  };
  const Outcome outcome = space.run({"run", "workflow.json", "--report", "report.json"}, options);
  EXPECT_EQ(outcome.code, 128 + SIGINT) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("Ctrl-C again kills"));
  EXPECT_FALSE(std::filesystem::exists(space.folder / "report.json")) << "a run that is stopped in order writes it";
  EXPECT_EQ(space.outputs(), std::vector<std::string>{"first_00001_.latent"});
}

}  // namespace
}  // namespace refrain::testing
