// refrain validate, nodes, plugins, version and the help texts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/workspace.hpp"

namespace refrain::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

TEST(ValidateCommand, SaysThatAWorkflowIsValidAndRunsNothing) {
  const Workspace space;
  const Outcome outcome = space.run({"validate", space.write("workflow.json", small_workflow())});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_EQ(outcome.output, "workflow.json: valid, 7 nodes, 1 outputs\n");
  EXPECT_THAT(space.outputs(), IsEmpty());
}

TEST(ValidateCommand, GivesComfyUIsReplyAsJson) {
  const Workspace space;
  Json workflow = latent_workflow();
  workflow["1"]["inputs"]["width"] = 1;
  const Outcome outcome = space.run({"validate", "--json", space.write("workflow.json", workflow)});
  EXPECT_EQ(outcome.code, 2);
  const Json reply = Json::parse(outcome.output);
  EXPECT_EQ(reply.at("error").at("type"), "prompt_outputs_failed_validation");
  EXPECT_EQ(reply.at("node_errors").at("1").at("errors").at(0).at("type"), "value_smaller_than_min");
}

TEST(ValidateCommand, ChecksEveryFileItIsGiven) {
  const Workspace space;
  space.folder.write("bad.json", "{");
  const Outcome outcome = space.run({"validate", "bad.json", space.write("good.json", latent_workflow())});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.output, HasSubstr("good.json: valid"));
  EXPECT_THAT(outcome.errors, HasSubstr("bad.json"));
}

TEST(Workflows, OfTheRepositoryAreValid) {
  const Workspace space;
  const std::string folder = REFRAIN_TEST_WORKFLOWS;
  for (const char* name : {"/default.json", "/default_deepcache.json"}) {
    const Outcome outcome = space.run({"validate", folder + name, "--set", "4.ckpt_name=small.safetensors"});
    EXPECT_EQ(outcome.code, 0) << outcome.errors;
  }
  for (const char* name : {"/demo/demo.json", "/demo/warm_up.json"}) {
    const Outcome outcome = space.run({"validate", folder + name, "--models", folder + "/models"});
    EXPECT_EQ(outcome.code, 0) << outcome.errors;
  }
}

TEST(NodesCommand, ListsAllNodesByCategory) {
  const Outcome outcome = refrain({"nodes"});
  EXPECT_EQ(outcome.code, 0);
  for (const char* name : {"KSampler", "CheckpointLoaderSimple", "UniformCache", "\nsampling\n"}) {
    EXPECT_THAT(outcome.output, HasSubstr(name));
  }
}

TEST(NodesCommand, ShowsOneInDetail) {
  const Workspace space;
  const Outcome outcome = space.run({"nodes", "KSampler", "CheckpointLoaderSimple"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("steps INT, default 20, from 1, to 10000"), HasSubstr("one of: euler"),
                                    HasSubstr("one of: small.safetensors"), HasSubstr("LATENT")));
}

TEST(NodesCommand, GivesObjectInfoAsJson) {
  const Workspace space;
  const Json all = Json::parse(space.run({"nodes", "--json"}).output);
  for (const char* name : {"KSampler", "SaveImage", "ApplyCachePolicy"}) EXPECT_TRUE(all.contains(name)) << name;
  EXPECT_THAT(all.at("CheckpointLoaderSimple").at("input").at("required").at("ckpt_name").at(0),
              Contains(Json("small.safetensors")));
  const Json one = Json::parse(space.run({"nodes", "--json", "VAEDecode"}).output);
  EXPECT_EQ(one.size(), 1U);
  EXPECT_EQ(one.at("VAEDecode"), all.at("VAEDecode"));
}

TEST(NodesCommand, NamesWhatThereIsNot) {
  const Outcome outcome = refrain({"nodes", "KSampler", "Nothing"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.errors, HasSubstr("\"Nothing\""));
}

TEST(PluginsCommand, SaysWhatWasLoadedFromWhere) {
  const Outcome outcome = refrain({"plugins"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("sampling 1.0.0"), HasSubstr("sampling.so"), HasSubstr("KSampler")));
}

TEST(PluginsCommand, SaysWhyALibraryIsRefusedAndLoadsTheOthers) {
  const Workspace space;
  space.folder.write("plugins/broken.so", "this is no library");
  const Outcome outcome = space.run({"plugins", "--plugin-path", "plugins"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("broken.so"), HasSubstr("refused"), HasSubstr("KSampler")));
}

TEST(RunCommand, WarnsOfARefusedLibraryAndRuns) {
  const Workspace space;
  space.folder.write("plugins/broken.so", "this is no library");
  const Outcome outcome = space.run_workflow(latent_workflow(), {"--plugin-path", "plugins"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.errors, AllOf(HasSubstr("warning"), HasSubstr("broken.so")));
}

TEST(VersionCommand, NamesRefrainTheAbiAndLibtorch) {
  const Outcome outcome = refrain({"version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.output, AllOf(HasSubstr("refrain "), HasSubstr("plugin ABI "), HasSubstr("libtorch 2.")));
  EXPECT_EQ(refrain({"--version"}).code, 0);
}

TEST(Help, HasExamplesForEveryCommand) {
  for (const char* command : {"run", "validate", "nodes", "plugins"}) {
    const Outcome outcome = refrain({command, "--help"});
    EXPECT_EQ(outcome.code, 0) << command;
    EXPECT_THAT(outcome.output, HasSubstr(std::string("refrain ") + command)) << command;
    EXPECT_THAT(outcome.output, HasSubstr("Example")) << command;
    EXPECT_THAT(outcome.errors, IsEmpty()) << command;
  }
  EXPECT_THAT(refrain({"--help"}).output, HasSubstr("refrain run"));
}

}  // namespace
}  // namespace refrain::testing
