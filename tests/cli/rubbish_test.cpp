// refrain run and validate, given rubbish: one message, the right exit code, no file left.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "cli/workspace.hpp"
#include "images/png_writer.hpp"

namespace refrain::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// One case of invalid input: what it is, and what the message must say.
struct Rubbish {
  std::string name;
  std::string text;
  std::vector<std::string> says;
};

/// `workflow` with the value at a JSON pointer replaced.
std::string changed(Json workflow, const char* pointer, const Json& value) {
  workflow[Json::json_pointer(pointer)] = value;
  return workflow.dump();
}

std::vector<Rubbish> rubbish() {
  const Json latent = latent_workflow();
  const Json small = small_workflow();
  return {
      {"Empty", "", {"workflow.json"}},
      {"NoJson", "hello", {"workflow.json:1:1"}},
      {"BrokenJson", "{\"1\": {\"class_type\": }", {"workflow.json:1:"}},
      {"AnArray", "[]", {"workflow.json"}},
      {"NoNodes", "{}", {"workflow.json"}},
      {"TheUisFormat", R"({"nodes": [], "links": [], "version": 0.4})", {"API"}},
      {"NoOutputNode", R"({"1": {"class_type": "EmptyLatentImage", "inputs": {}}})", {"output"}},
      {"UnknownType", changed(small, "/3/class_type", "KSamplr"), {"KSamplr", "KSampler"}},
      {"NoType", R"({"1": {"inputs": {}}})", {"class_type"}},
      {"MissingNode", changed(small, "/3/inputs/model", {"77", 0}), {"77"}},
      {"MissingSlot", changed(small, "/3/inputs/model", {"4", 9}), {"model"}},
      {"MissingInput", changed(latent, "/2/inputs", {{"filename_prefix", "x"}}), {"samples"}},
      {"WrongType", changed(small, "/3/inputs/model", {"5", 0}), {"LATENT", "MODEL"}},
      {"NotANumber", changed(latent, "/1/inputs/width", "wide"), {"width", "wide"}},
      {"TooSmall", changed(latent, "/1/inputs/width", 8), {"width", "16"}},
      {"TooLarge", changed(latent, "/1/inputs/batch_size", 5000), {"batch_size", "4096"}},
      {"BeyondAllNumbers", changed(latent, "/1/inputs/width", 1e300), {"width"}},
      {"NotInTheList", changed(small, "/3/inputs/sampler_name", "eular"), {"sampler_name", "eular"}},
      {"ACycle",
       R"({"1": {"class_type": "ContactSheet", "inputs": {"row_1": ["2", 0], "gap": 1}},
           "2": {"class_type": "ContactSheet", "inputs": {"row_1": ["1", 0], "gap": 1}},
           "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}}})",
       {"cycle"}},
      {"CheckpointOutsideItsFolder", changed(small, "/4/inputs/ckpt_name", "../../../etc/passwd"), {"ckpt_name"}},
      {"MissingCheckpoint",
       changed(small, "/4/inputs/ckpt_name", "none.safetensors"),
       {"none.safetensors", "small.safetensors", "Searched: ", "models/checkpoints"}},
      {"LatentOutsideItsFolder",
       R"({"1": {"class_type": "LoadLatent", "inputs": {"latent": "../../etc/passwd"}},
                                     "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0]}}})",
       {"latent"}},
      {"BadListOfSteps",
       R"({"1": {"class_type": "ListedCache", "inputs": {"steps": "0, x", "depth": 0}},
                             "2": {"class_type": "SaveLatent", "inputs": {"samples": ["1", 0]}}})",
       {"steps", "x"}},
      {"ControlCharacters", changed(small, "/3/class_type", "\x1b[31mred"), {"red"}},
      {"AVeryLongValue", changed(small, "/3/inputs/sampler_name", std::string(100000, 'x')), {"sampler_name"}},
  };
}

class Rejects : public ::testing::TestWithParam<Rubbish> {};

TEST_P(Rejects, WithOneMessageAndNoFile) {
  const Workspace space;
  space.folder.write("workflow.json", GetParam().text);
  for (const char* command : {"run", "validate"}) {
    const Outcome outcome = space.run({command, "workflow.json"});
    EXPECT_EQ(outcome.code, 2) << outcome.errors;
    EXPECT_THAT(outcome.errors, HasSubstr("refrain: error: "));
    for (const std::string& words : GetParam().says) {
      EXPECT_THAT(outcome.errors, HasSubstr(words));
    }
    EXPECT_LT(outcome.errors.size(), 4200U);  // 4000 and the words around
    EXPECT_THAT(outcome.errors, Not(HasSubstr("\x1b")));
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(space.outputs(), IsEmpty());
  }
}

INSTANTIATE_TEST_SUITE_P(Rubbish, Rejects, ::testing::ValuesIn(rubbish()),
                         [](const auto& test) { return test.param.name; });

TEST(RunCommand, RunsNothingWhenOneOfSeveralWorkflowsIsInvalid) {
  const Workspace space;
  space.write("good.json", latent_workflow());
  space.folder.write("bad.json", "{");
  EXPECT_EQ(space.run({"run", "good.json", "bad.json"}).code, 2);
  EXPECT_THAT(space.outputs(), IsEmpty());
}

TEST(RunCommand, ReportsEveryErrorOfAWorkflowAtOnce) {
  const Workspace space;
  Json workflow = latent_workflow();
  workflow["1"]["inputs"]["width"] = 1;
  workflow["1"]["inputs"]["height"] = 99999;
  const Outcome outcome = space.run_workflow(workflow);
  EXPECT_THAT(outcome.errors, AllOf(HasSubstr("2 errors"), HasSubstr("width"), HasSubstr("height")));
}

TEST(RunCommand, NamesAWorkflowFileThatIsNotThere) {
  const Workspace space;
  for (const char* name : {"none.json", "."}) {
    const Outcome outcome = space.run({"run", name});
    EXPECT_EQ(outcome.code, 2);
    EXPECT_THAT(outcome.errors, HasSubstr(name));
  }
}

TEST(RunCommand, RefusesAPictureWithoutAWorkflow) {
  const Workspace space;
  const std::string picture = encode_png({1, 1, 3, {255, 255, 255}}, {}, 4);
  space.folder.write("white.png", picture);
  const Outcome outcome = space.run({"run", "white.png"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.errors, HasSubstr("carries no workflow"));
  space.folder.write("cut.png", std::string_view(picture).substr(0, 20));
  EXPECT_EQ(space.run({"run", "cut.png"}).code, 2);
}

TEST(RunCommand, RefusesSettingsThatFitNothing) {
  const Workspace space;
  for (const char* setting : {"3.seed", "99.seed=1", "3.sed=1", "Nobody.seed=1", "seed=1", "3.steps=many"}) {
    const Outcome outcome = space.run_workflow(small_workflow(), {"--set", setting});
    EXPECT_EQ(outcome.code, 2) << setting;
    EXPECT_THAT(outcome.errors, HasSubstr("refrain: error: ")) << setting;
  }
  EXPECT_THAT(space.outputs(), IsEmpty());
}

TEST(RunCommand, FailsWhenAPrefixLeavesTheOutputFolder) {
  for (const char* prefix : {"../escape", "/tmp/escape", "a/../../escape"}) {
    const Workspace space;
    Json workflow = latent_workflow();
    workflow["2"]["inputs"]["filename_prefix"] = prefix;
    const Outcome outcome = space.run_workflow(workflow);
    EXPECT_EQ(outcome.code, 1) << prefix;
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr("SaveLatent"), HasSubstr("out of the output folder"))) << prefix;
    EXPECT_EQ(files_below(space.folder.path()), std::vector<std::string>{"workflow.json"}) << prefix;
  }
}

TEST(RunCommand, FailsOnADamagedCheckpointAndNamesIt) {
  const Workspace space;
  const std::string whole = read_text(std::filesystem::path(REFRAIN_TEST_MODELS) / "checkpoints/small.safetensors");
  for (const std::size_t size : {std::size_t{0}, std::size_t{100}, whole.size() / 2}) {
    space.folder.write("models/checkpoints/cut.safetensors", std::string_view(whole).substr(0, size));
    const Outcome outcome =
        space.run_workflow(small_workflow(), {"--models", "models", "--set", "4.ckpt_name=cut.safetensors"});
    EXPECT_EQ(outcome.code, 1) << outcome.errors;
    EXPECT_THAT(outcome.errors, AllOf(HasSubstr("cut.safetensors"), HasSubstr("CheckpointLoaderSimple")));
    EXPECT_THAT(space.outputs(), IsEmpty());
  }
}

TEST(RunCommand, RefusesALatentLargerThanTheMemory) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(
      latent_workflow(), {"--set", "1.width=16384", "--set", "1.height=16384", "--set", "1.batch_size=4096"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("4096 empty latents"));
  EXPECT_THAT(space.outputs(), IsEmpty());
}

TEST(RunCommand, GoesOnWithTheOtherOutputsWhenOneFails) {
  const Workspace space;
  Json workflow = latent_workflow();
  workflow["3"] =
      Json::parse(R"({"class_type": "SaveLatent", "inputs": {"samples": ["1", 0], "filename_prefix": "../x"}})");
  const Outcome outcome = space.run_workflow(workflow);
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.output, "output/x_00001_.latent\n");
}

TEST(RunCommand, SaysThatAReportCannotBeWritten) {
  const Workspace space;
  const Outcome outcome = space.run_workflow(latent_workflow(), {"--report", "no/such/folder/report.json"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.errors, HasSubstr("no/such/folder/report.json"));
}

TEST(CommandLine, IsInvalidInputWhereItIsWrong) {
  const Workspace space;
  const std::vector<std::vector<std::string>> wrong{{},
                                                    {"frobnicate"},
                                                    {"run"},
                                                    {"run", "x.json", "--frobnicate"},
                                                    {"run", "x.json", "--dtype", "fp64"},
                                                    {"run", "x.json", "--device", "tpu"},
                                                    {"run", "x.json", "--cache-bytes", "many"},
                                                    {"nodes", "NoSuchNode"}};
  for (const auto& arguments : wrong) {
    const Outcome outcome = space.run(arguments);
    EXPECT_EQ(outcome.code, 2) << ::testing::PrintToString(arguments);
    EXPECT_THAT(outcome.errors, HasSubstr("refrain: error: ")) << ::testing::PrintToString(arguments);
  }
}

}  // namespace
}  // namespace refrain::testing
