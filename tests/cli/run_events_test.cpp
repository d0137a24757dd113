// refrain run --json, --trace, --watch, --set key=@file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <sstream>

#include "cli/workspace.hpp"
#include "support/png_picture.hpp"

namespace refrain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

std::vector<Json> of_type(const std::vector<Json>& lines, const std::string& type) {
  std::vector<Json> found;
  for (const Json& line : lines) {
    if (line.at("type") == type) found.push_back(line);
  }
  return found;
}

TEST(RunJson, SpeaksTheDialectOfComfyCli) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(small_workflow(), {"--json", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, IsEmpty());
  const std::vector<Json> lines = lines_of(outcome.output);
  EXPECT_EQ(lines.at(0).at("type"), "prompt_preview");
  EXPECT_EQ(lines.at(0).at("prompt").at("3").at("class_type"), "KSampler");
  EXPECT_EQ(lines.at(1).at("type"), "queued");
  EXPECT_THAT(lines.at(1).at("nodes"), SizeIs(7));
  const std::string id = lines.at(1).at("prompt_id");
  EXPECT_THAT(id, SizeIs(36));
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    EXPECT_EQ(lines[i].at("schema"), "event/1");
    EXPECT_EQ(lines[i].value("prompt_id", i == 0 ? id : ""), id) << lines[i];
  }
  EXPECT_THAT(of_type(lines, "executing"), SizeIs(7));
  EXPECT_EQ(of_type(lines, "executing").back().at("class_type"), "SaveImage");
  const Json progress = of_type(lines, "progress").back();
  EXPECT_EQ(progress.at("node"), "3");
  EXPECT_EQ(progress.at("completed"), 4);
  EXPECT_EQ(progress.at("total"), 4);
  const Json saved = of_type(lines, "executed").back().at("outputs").at(0);
  EXPECT_EQ(saved.at("category"), "images");
  EXPECT_EQ(saved.at("filename"), "picture_00001_.png");
  const std::string file = (space.folder / "output/picture_00001_.png").string();
  ASSERT_THAT(of_type(lines, "output"), SizeIs(1));
  EXPECT_EQ(of_type(lines, "output").at(0).at("url"), file);

  const Json& envelope = lines.back();
  EXPECT_EQ(envelope.at("schema"), "envelope/1");
  EXPECT_EQ(envelope.at("type"), "envelope");
  EXPECT_EQ(envelope.at("ok"), true);
  EXPECT_EQ(envelope.at("command"), "run");
  EXPECT_EQ(envelope.at("where"), "local");
  EXPECT_TRUE(envelope.at("error").is_null());
  EXPECT_EQ(envelope.at("data").at("status"), "completed");
  EXPECT_EQ(envelope.at("data").at("outputs"), Json::array({file}));
  EXPECT_EQ(envelope.at("data").at("outputs_by_node").at("9"), Json::array({file}));
  EXPECT_THAT(envelope.at("data").at("executed_node_ids"), SizeIs(7));
}

TEST(RunJson, TellsWhatASecondWorkflowReuses) {
  const Workspace space;
  space.write("a.json", small_workflow());
  const Outcome outcome = space.run({"run", "a.json", "a.json", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const std::vector<Json> lines = lines_of(outcome.output);
  EXPECT_THAT(of_type(lines, "queued"), SizeIs(2));
  EXPECT_THAT(of_type(lines, "execution_cached"), Not(IsEmpty()));
  ASSERT_THAT(of_type(lines, "envelope"), SizeIs(1)) << "one stream, one end";
  EXPECT_THAT(lines.back().at("data").at("runs"), SizeIs(2));
  EXPECT_THAT(lines.back().at("data").at("outputs"), SizeIs(2));
}

TEST(RunJson, EndsWithTheErrorOfAWorkflowThatIsNotValid) {
  const Workspace space;
  Json workflow = latent_workflow();
  workflow["1"]["inputs"]["width"] = 1;
  const Outcome outcome = space.run_workflow(workflow, {"--json"});
  EXPECT_EQ(outcome.code, 2);
  const std::vector<Json> lines = lines_of(outcome.output);
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].at("ok"), false);
  EXPECT_EQ(lines[0].at("error").at("code"), "prompt_rejected");
  const Json node = lines[0].at("error").at("details").at("node_errors").at(0);
  EXPECT_EQ(node.at("node_id"), "1");
  EXPECT_EQ(node.at("errors").at(0).at("type"), "value_smaller_than_min");
}

TEST(RunJson, EndsWithTheErrorOfAFileThatIsNotThere) {
  const Workspace space;
  const Outcome outcome = space.run({"run", "none.json", "--json"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(lines_of(outcome.output).back().at("error").at("code"), "workflow_not_found");
}

TEST(RunJson, EndsWithTheErrorOfANodeThatFails) {
  const Workspace space;
  Json workflow = Json::parse(R"({
    "1": {"class_type": "LoadLatent", "inputs": {"latent": "broken.latent"}},
    "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "x"}}})");
  space.folder.write("input/broken.latent", "no safetensors");
  const Outcome outcome = space.run_workflow(workflow, {"--json"});
  EXPECT_EQ(outcome.code, 1);
  const std::vector<Json> lines = lines_of(outcome.output);
  EXPECT_EQ(of_type(lines, "execution_error").at(0).at("details").at("node_id"), "1");
  EXPECT_EQ(lines.back().at("error").at("code"), "execution_error");
  EXPECT_EQ(lines.back().at("error").at("details").at("class_type"), "LoadLatent");
  EXPECT_EQ(lines.back().at("data").at("status"), "failed");
}

TEST(RunJson, EndsWithAnEnvelopeWhateverGoesWrong) {
  const Workspace space;
  const Outcome report = space.run_workflow(latent_workflow(), {"--json", "--report", "missing/folder/report.json"});
  EXPECT_EQ(report.code, 1);
  EXPECT_EQ(lines_of(report.output).back().at("error").at("code"), "file_unwritable");
  EXPECT_THAT(of_type(lines_of(report.output), "envelope"), SizeIs(1));
  const Outcome device = space.run_workflow(latent_workflow(), {"--json", "--extra-model-paths-config", "none.yaml"});
  EXPECT_EQ(device.code, 2);
  EXPECT_EQ(lines_of(device.output).back().at("error").at("code"), "bad_model_paths");
}

TEST(RunJson, SaysWhichOptionsContradictIt) {
  const Workspace space;
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--report", "-"}, std::vector<std::string>{"--dry-run"},
        std::vector<std::string>{"--watch"}}) {
    std::vector<std::string> arguments{"--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = space.run_workflow(latent_workflow(), arguments);
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.errors, HasSubstr("leave one of them out"));
  }
}

TEST(RunTrace, IsATimelineOfNodesAndSteps) {
  const Workspace space;
  Json workflow = small_workflow();
  workflow["10"] = Json::parse(R"({"class_type": "UniformCache", "inputs": {"interval": 2, "depth": 0}})");
  workflow["11"] =
      Json::parse(R"({"class_type": "ApplyCachePolicy", "inputs": {"model": ["4", 0], "policy": ["10", 0]}})");
  workflow["3"]["inputs"]["model"] = {"11", 0};
  ASSERT_EQ(space.run_workflow(workflow, {"--trace", "trace.json"}).code, 0);
  const Json events = Json::parse(read_text(space.folder / "trace.json")).at("traceEvents");
  std::vector<std::string> steps;
  Json sampler, whole;
  for (const Json& event : events) {
    EXPECT_EQ(event.at("ph"), "X");
    EXPECT_GE(event.at("dur").get<double>(), 0);
    if (event.at("cat") == "step") {
      steps.push_back(event.at("name").get<std::string>() + " " + event.at("args").at("computed").get<std::string>());
    }
    if (event.at("name") == "KSampler [3]") sampler = event;
    if (event.at("cat") == "workflow") whole = event;
  }
  EXPECT_THAT(steps, ElementsAre("step 1 of 4 full", "step 2 of 4 deep(0)", "step 3 of 4 full", "step 4 of 4 deep(0)"));
  const auto end = [](const Json& event) { return event.at("ts").get<double>() + event.at("dur").get<double>(); };
  for (const Json& event : events) {
    if (event.at("cat") != "step") continue;
    EXPECT_GE(event.at("ts").get<double>(), sampler.at("ts").get<double>());
    EXPECT_LE(end(event), end(sampler));
  }
  EXPECT_LE(end(sampler), end(whole));
}

TEST(RunPreviews, ShowTheLatentWhileItIsSampled) {
  const Workspace space;
  Json workflow = small_workflow();
  workflow["3:a/b"] = workflow["3"];
  workflow.erase("3");
  workflow["8"]["inputs"]["samples"] = {"3:a/b", 0};
  ASSERT_EQ(space.run_workflow(workflow, {"--preview-directory", "previews"}).code, 0);
  EXPECT_THAT(files_below(space.folder / "previews"), ElementsAre("preview_3_a_b.png"));
  const PngPicture preview = read_png(space.folder / "previews/preview_3_a_b.png");
  EXPECT_EQ(preview.width, 64);
  EXPECT_EQ(preview.height, 48);
  EXPECT_NE(std::count(preview.bytes.begin(), preview.bytes.end(), preview.bytes[0]),
            static_cast<std::ptrdiff_t>(preview.bytes.size()));
}

TEST(RunPreviews, AreNoReasonToStopWhenTheyCanNotBeWritten) {
  const Workspace space;
  space.folder.write("previews", "a file where the folder would be");
  const Outcome outcome = space.run_workflow(small_workflow(), {"--preview-directory", "previews"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.errors, HasSubstr("no more previews"));
}

TEST(SetFromFile, TakesTheTextOfAFileWithoutItsLastLineFeed) {
  const Workspace space;
  space.folder.write("name.txt", "from-a-file\n");
  const Outcome outcome = space.run_workflow(latent_workflow(), {"--set", "2.filename_prefix=@name.txt"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(space.outputs(), ElementsAre("from-a-file_00001_.latent"));
}

TEST(SetFromFile, LeavesADoubledSignToTheText) {
  const Workspace space;
  ASSERT_EQ(space.run_workflow(latent_workflow(), {"--set", "2.filename_prefix=@@name"}).code, 0);
  EXPECT_THAT(space.outputs(), ElementsAre("@name_00001_.latent"));
}

TEST(SetFromFile, SaysWhichFileIsMissing) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(latent_workflow(), {"--set", "2.filename_prefix=@none.txt"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.errors, HasSubstr("none.txt"));
  EXPECT_THAT(outcome.errors, HasSubstr("@@"));
}

TEST(RunWatch, RunsAgainWhenTheFileChangesAndEndsWithCtrlC) {
  const Workspace space;
  space.write("w.json", latent_workflow());
  CommandOptions options;
  options.meanwhile = [&space, stage = 0](int process) mutable {
    const auto there = [&](const char* name) { return std::filesystem::exists(space.folder / "output" / name); };
    if (stage == 0 && there("x_00001_.latent")) {
      Json changed = latent_workflow();
      changed["1"]["inputs"]["width"] = 1;  // not valid: told, and waited for something better
      space.write("w.json", changed);
      stage = 1;
    } else if (stage == 1) {
      // The watch looks every 150 ms; the file changes once more, whether or not the fault was seen.
      Json changed = latent_workflow();
      changed["2"]["inputs"]["filename_prefix"] = "again";
      space.write("w.json", changed);
      stage = 2;
    } else if (stage == 2 && there("again_00001_.latent")) {
      ::kill(process, SIGINT);
      return true;
    }
    return false;
  };
  const Outcome outcome = space.run({"run", "w.json", "--watch"}, options);
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.errors, HasSubstr("watching; Ctrl-C ends"));
  EXPECT_THAT(space.outputs(), ElementsAre("again_00001_.latent", "x_00001_.latent"));
}

TEST(RunWatch, ReusesWhatDidNotChange) {
  const Workspace space;
  space.write("w.json", small_workflow());
  CommandOptions options;
  options.meanwhile = [&space, stage = 0](int process) mutable {
    const auto there = [&](const char* name) { return std::filesystem::exists(space.folder / "output" / name); };
    if (stage == 0 && there("picture_00001_.png")) {
      Json changed = small_workflow();
      changed["9"]["inputs"]["filename_prefix"] = "again";
      space.write("w.json", changed);
      stage = 1;
    } else if (stage == 1 && there("again_00001_.png")) {
      ::kill(process, SIGINT);
      return true;
    }
    return false;
  };
  ASSERT_EQ(space.run({"run", "w.json", "--watch", "--report", "report.json"}, options).code, 0);
  const Json runs = Json::parse(read_text(space.folder / "report.json")).at("runs");
  ASSERT_THAT(runs, SizeIs(2));
  for (const Json& node : runs.at(1).at("report").at("nodes")) {
    EXPECT_EQ(node.at("outcome"), node.at("type") == "SaveImage"   ? "run"
                                  : node.at("type") == "VAEDecode" ? "reused"
                                                                   : "not_needed")
        << node;
  }
}

TEST(RunWatch, CanNotWatchStandardInput) {
  const Workspace space;
  const Outcome outcome = space.run({"run", "-", "--watch"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.errors, HasSubstr("name a file"));
}

}  // namespace
}  // namespace refrain::testing
