// refrain run, where all goes well.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/png_text.hpp"
#include "cli/workspace.hpp"
#include "images/png_writer.hpp"
#include "support/png_picture.hpp"

namespace refrain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<std::uint8_t> pixels(const Workspace& space, const std::string& file) {
  return read_png(space.folder / "output" / file).bytes;
}

/// The small workflow with a policy between loader and sampler.
Json with_policy(const char* type, const Json& inputs) {
  Json workflow = small_workflow();
  workflow["10"] = {{"class_type", type}, {"inputs", inputs}};
  workflow["11"] =
      Json::parse(R"({"class_type": "ApplyCachePolicy", "inputs": {"model": ["4", 0], "policy": ["10", 0]}})");
  workflow["3"]["inputs"]["model"] = {"11", 0};
  return workflow;
}

TEST(RunCommand, TurnsAStockWorkflowIntoAPicture) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(small_workflow());
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(outcome.output, "output/picture_00001_.png\n");
  const PngPicture picture = read_png(space.folder / "output/picture_00001_.png");
  EXPECT_EQ(picture.width, 64);
  EXPECT_EQ(picture.height, 48);
}

TEST(RunCommand, GivesTheSamePictureForTheSameSeedAndAnotherForAnother) {
  const Workspace space;
  space.run_workflow(small_workflow());
  space.run_workflow(small_workflow());
  space.run_workflow(small_workflow(), {"--set", "3.seed=8"});
  EXPECT_EQ(pixels(space, "picture_00001_.png"), pixels(space, "picture_00002_.png"));
  EXPECT_NE(pixels(space, "picture_00001_.png"), pixels(space, "picture_00003_.png"));
}

TEST(RunCommand, PutsTheWorkflowIntoThePictureAndTakesItFromThere) {
  const Workspace space;
  space.run_workflow(small_workflow(), {"--set", "3.seed=18446744073709551615"});
  const Outcome again = space.run({"run", "output/picture_00001_.png"});
  EXPECT_EQ(again.code, 0) << again.errors;
  EXPECT_EQ(pixels(space, "picture_00001_.png"), pixels(space, "picture_00002_.png"));
  EXPECT_EQ(cli::read_png_text(read_text(space.folder / "output/picture_00001_.png")),
            cli::read_png_text(read_text(space.folder / "output/picture_00002_.png")));
}

TEST(RunCommand, GivesAnOlderPicturesWorkflowTheInputsThatItsNodesHaveGotSince) {
  const Workspace space;
  Json workflow = small_workflow();
  workflow["3"]["inputs"].erase("denoise");
  EXPECT_EQ(space.run_workflow(workflow).code, 2);  // a file says what it means
  const std::vector<PngText> texts{{"prompt", workflow.dump()}};
  space.folder.write("old.png", encode_png({8, 8, 3, std::vector<std::uint8_t>(192, 7)}, texts, 0));
  const Outcome outcome = space.run({"run", "old.png"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  space.run_workflow(small_workflow());  // denoise 1, the default
  EXPECT_EQ(pixels(space, "picture_00001_.png"), pixels(space, "picture_00002_.png"));
}

TEST(RunCommand, ReadsStandardInput) {
  const Workspace space;
  CommandOptions options;
  options.input = latent_workflow().dump();
  const Outcome outcome = space.run({"run", "-"}, options);
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(space.outputs(), ElementsAre("x_00001_.latent"));
}

TEST(RunCommand, SetsInputsByIdAndByTitle) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(small_workflow(), {"--set", "Positive.text=(a cat:1.2) = 3", "--set",
                                                                "5.width=32", "--set", "9.filename_prefix=007"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(space.outputs(), ElementsAre("007_00001_.png"));
  EXPECT_EQ(read_png(space.folder / "output/007_00001_.png").width, 32);
  EXPECT_THAT(cli::read_png_text(read_text(space.folder / "output/007_00001_.png"))[0].second,
              HasSubstr(R"("text": "(a cat:1.2) = 3")"));
}

TEST(RunCommand, RunsSeveralWorkflowsAndLoadsTheModelOnce) {
  const Workspace space;
  Json other = small_workflow();
  other["3"]["inputs"]["seed"] = 8;
  space.write("a.json", small_workflow());
  space.write("b.json", other);
  const Outcome outcome = space.run({"run", "a.json", "b.json", "--report", "report.json"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(outcome.output, "output/picture_00001_.png\noutput/picture_00002_.png\n");
  const Json report = Json::parse(read_text(space.folder / "report.json"));
  ASSERT_THAT(report.at("runs"), SizeIs(2));
  for (const Json& node : report.at("runs").at(1).at("report").at("nodes")) {
    if (node.at("type") == "CheckpointLoaderSimple") {
      EXPECT_EQ(node.at("outcome"), "reused");
    } else if (node.at("type") == "KSampler") {
      EXPECT_EQ(node.at("outcome"), "run");
    }
  }
}

TEST(RunCommand, ReportsWhatTheSamplerDid) {
  const Workspace space;
  const Outcome outcome =
      space.run_workflow(with_policy("UniformCache", {{"interval", 2}, {"depth", 0}}), {"--report", "-", "--quiet"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, IsEmpty());
  const Json report = Json::parse(outcome.output).at("runs").at(0).at("report");
  EXPECT_EQ(report.at("outcome"), "done");
  const Json& record = report.at("records").at(0);
  EXPECT_EQ(record.at("id"), "3");
  const Json& actions = record.at("record").at("actions");
  ASSERT_THAT(actions, SizeIs(4));
  EXPECT_EQ(actions.at(0).at("action"), "full");
  EXPECT_EQ(actions.at(1).at("action"), "deep(0)");
}

TEST(RunCommand, GivesThePictureWithoutAPolicyBitForBitAtIntervalOne) {
  const Workspace space;
  space.run_workflow(small_workflow());
  space.run_workflow(with_policy("NoCache", Json::object()));
  space.run_workflow(with_policy("UniformCache", {{"interval", 1}, {"depth", 3}}));
  EXPECT_EQ(pixels(space, "picture_00001_.png"), pixels(space, "picture_00002_.png"));
  EXPECT_EQ(pixels(space, "picture_00001_.png"), pixels(space, "picture_00003_.png"));
}

TEST(RunCommand, SwapsThePolicyByRewiring) {
  const Workspace space;
  Json workflow = with_policy("UniformCache", {{"interval", 2}, {"depth", 1}});
  workflow["20"] = Json::parse(R"({"class_type": "ListedCache", "inputs": {"steps": "0, 2", "depth": 1}})");
  workflow["21"] = Json::parse(R"({"class_type": "NoCache", "inputs": {}})");
  space.run_workflow(workflow);
  space.run_workflow(workflow, {"--set", R"(11.policy=["20", 0])"});
  space.run_workflow(workflow, {"--set", R"(11.policy=["21", 0])"});
  EXPECT_EQ(pixels(space, "picture_00001_.png"), pixels(space, "picture_00002_.png"));  // the same steps
  EXPECT_NE(pixels(space, "picture_00001_.png"), pixels(space, "picture_00003_.png"));
}

TEST(RunCommand, PutsPicturesAndPreviewsWhereItIsTold) {
  const Workspace space;
  Json workflow = small_workflow();
  workflow["12"] = Json::parse(R"({"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}})");
  const Outcome outcome =
      space.run_workflow(workflow, {"--output-directory", "there/out", "--temp-directory", "there/temp"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(files_below(space.folder / "there/out"), ElementsAre("picture_00001_.png"));
  EXPECT_THAT(files_below(space.folder / "there/temp"), SizeIs(1));
}

TEST(RunCommand, SavesALatentAndLoadsItAgain) {
  const Workspace space;
  Json save = small_workflow();
  save["9"] = Json::parse(R"({"class_type": "SaveLatent", "inputs": {"samples": ["3", 0], "filename_prefix": "l"}})");
  save.erase("8");
  ASSERT_EQ(space.run_workflow(save, {"--output-directory", "input"}).code, 0);
  Json load = small_workflow();
  load["30"] = Json::parse(R"({"class_type": "LoadLatent", "inputs": {"latent": "l_00001_.latent"}})");
  load["8"]["inputs"]["samples"] = {"30", 0};
  ASSERT_EQ(space.run_workflow(load).code, 0);
  space.run_workflow(small_workflow());
  EXPECT_EQ(pixels(space, "picture_00001_.png"), pixels(space, "picture_00002_.png"));
}

TEST(RunCommand, ListsWhatItWouldRunAndRunsNothing) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(small_workflow(), {"--dry-run"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.output, HasSubstr("7 nodes to run"));
  EXPECT_THAT(outcome.output, HasSubstr("9 SaveImage  (output)"));
  EXPECT_THAT(space.outputs(), IsEmpty());
}

TEST(RunCommand, ShowsPlainLinesWhereThereIsNoTerminal) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(small_workflow());
  EXPECT_THAT(outcome.errors, HasSubstr("KSampler [3]: 4/4"));
  EXPECT_THAT(outcome.errors, HasSubstr("done in"));
  EXPECT_THAT(outcome.errors, Not(HasSubstr("\x1b")));
  EXPECT_THAT(outcome.errors, Not(HasSubstr("\r")));
}

}  // namespace
}  // namespace refrain::testing
