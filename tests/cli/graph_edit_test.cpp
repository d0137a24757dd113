// Turning a workflow into those that are compared: what is found in it, and how it is changed.

#include <refrain/errors.hpp>
#include <refrain/ports.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "apps/cli/compare/graph_edit.hpp"
#include "json/input_value.hpp"
#include "json/workflow_reader.hpp"

namespace refrain::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

#define STUB_PAYLOAD(Name, kName)                   \
  struct Name {                                     \
    static constexpr const char* kTypeName = kName; \
  }
STUB_PAYLOAD(Model, "MODEL");
STUB_PAYLOAD(Policy, "CACHE_POLICY");
STUB_PAYLOAD(LatentStub, "LATENT");
STUB_PAYLOAD(ImageStub, "IMAGE");
STUB_PAYLOAD(GuiderStub, "GUIDER");
STUB_PAYLOAD(SigmasStub, "SIGMAS");
#undef STUB_PAYLOAD

constexpr In<Model> kModel{"model"};
constexpr In<Policy> kPolicy{"policy"}, kFirst{"first"}, kSecond{"second"};
constexpr In<LatentStub> kLatent{"latent_image"};
constexpr In<ImageStub> kImages{"images"};
constexpr In<GuiderStub> kGuider{"guider"};
constexpr In<SigmasStub> kSigmas{"sigmas"};
constexpr Out<Model> kModelOut{"MODEL"};
constexpr Out<Policy> kPolicyOut{"CACHE_POLICY"};
constexpr Out<LatentStub> kLatentOut{"LATENT"};
constexpr Out<ImageStub> kImageOut{"IMAGE"};
constexpr Out<GuiderStub> kGuiderOut{"GUIDER"};
constexpr Out<LatentStub> kDenoisedOut{"denoised"};
constexpr Out<SigmasStub> kSigmasOut{"SIGMAS"}, kLowOut{"low"};
constexpr Param<std::int64_t> kSteps{"steps", 20}, kStart{"start_at_step", 0}, kEnd{"end_at_step", 10000},
    kInterval{"interval", 5}, kCut{"step", 0};
constexpr Param<std::uint64_t> kSeed{"seed", 0}, kNoiseSeed{"noise_seed", 0};
constexpr Param<double> kThreshold{"threshold", 0.2};

const Registry& registry() {
  static const auto made = [] {
    auto all = std::make_unique<Registry>();
    std::vector<std::unique_ptr<NodeType>> types;
    for (Schema& schema : std::vector<Schema>{
             {"Loader", "t", "", {}, {kModelOut}},
             {"Empty", "t", "", {}, {kLatentOut}},
             {"Sampler", "t", "", {kModel, kSeed, kSteps, kLatent}, {kLatentOut}},
             {"SamplerAdvanced", "t", "", {kModel, kNoiseSeed, kSteps, kStart, kEnd, kLatent}, {kLatentOut}},
             {"Scheduler", "t", "", {kModel, kSteps}, {kSigmasOut}},
             {"Guider", "t", "", {kModel}, {kGuiderOut}},
             {"CustomSampler", "t", "", {kGuider, kSigmas, kLatent}, {kLatentOut}},
             {"Decode", "t", "", {kLatent}, {kImageOut}},
             {"Save", "t", "", {kImages}, {}, Role::output},
             {"Apply", "t", "", {kModel, kPolicy}, {kModelOut}},
             {"Uniform", "t", "", {kInterval}, {kPolicyOut}},
             {"Chain", "t", "", {kFirst, kSecond}, {kPolicyOut}},
             {"Easy", "t", "", {kModel, kThreshold}, {kModelOut}},
             {"Patch", "t", "", {kModel}, {kModelOut}},
             {"Split", "t", "", {kSigmas, kCut}, {kSigmasOut, kLowOut}},
             {"TwoLatents", "t", "", {kGuider, kSigmas, kLatent}, {kLatentOut, kDenoisedOut}},
         }) {
      types.push_back(std::make_unique<NodeType>());
      types.back()->library = schema.name == "Apply" || schema.name == "Easy" ? "caching" : "others";
      types.back()->schema = std::move(schema);
    }
    all->add(std::move(types));
    all->seal();
    return all;
  }();
  return *made;
}

constexpr const char* kSimple = R"({
  "1": {"class_type": "Loader", "inputs": {}},
  "2": {"class_type": "Empty", "inputs": {}},
  "3": {"class_type": "Sampler", "inputs": {"model": ["1", 0], "seed": 7, "steps": 10, "latent_image": ["2", 0]}},
  "4": {"class_type": "Decode", "inputs": {"latent_image": ["3", 0]}},
  "5": {"class_type": "Save", "inputs": {"images": ["4", 0]}}})";

/// "type(input=value, ...)" of every node, links as "type.slot".
std::vector<std::string> nodes_of(const WorkflowGraph& graph) {
  std::vector<std::string> texts;
  for (const GraphNode& node : graph.nodes) {
    std::string text = node.class_type + "(";
    for (const GraphInput& input : node.inputs) {
      if (!text.ends_with("(")) text += ", ";
      const auto* link = std::get_if<LinkRef>(&input.value);
      text += input.name + "=" +
              (link != nullptr ? graph.nodes[graph.index.at(link->node)].class_type + "." + std::to_string(link->slot)
                               : input_json(input.value));
    }
    texts.push_back(text + ")");
  }
  return texts;
}

WorkflowGraph with_policy(const char* workflow, const char* policy) {
  WorkflowGraph graph = parse_workflow(workflow, "w.json");
  insert_policy(graph, registry(), find_subject(graph, registry(), ""), parse_policy(policy));
  return graph;
}

TEST(Subject, IsFoundByTheTypesOfPorts) {
  const WorkflowGraph graph = parse_workflow(kSimple, "w.json");
  const Subject subject = find_subject(graph, registry(), "");
  EXPECT_EQ(subject.output, "5");
  EXPECT_EQ(subject.picture.node, "4");
  EXPECT_EQ(subject.latent->node, "3");
  EXPECT_THAT(subject.samplers, ElementsAre("3"));
  EXPECT_THAT(subject.fresh, UnorderedElementsAre("3", "4", "5"));
  EXPECT_EQ(subject.seed, 7U);
  EXPECT_EQ(subject.step_count, 10);
}

TEST(Subject, SamplesThroughAGuiderToo) {
  const WorkflowGraph graph = with_policy(R"({
    "1": {"class_type": "Loader", "inputs": {}},
    "2": {"class_type": "Empty", "inputs": {}},
    "3": {"class_type": "Guider", "inputs": {"model": ["1", 0]}},
    "4": {"class_type": "Scheduler", "inputs": {"model": ["1", 0], "steps": 12}},
    "5": {"class_type": "CustomSampler", "inputs": {"guider": ["3", 0], "sigmas": ["4", 0], "latent_image": ["2", 0]}},
    "6": {"class_type": "Decode", "inputs": {"latent_image": ["5", 0]}},
    "7": {"class_type": "Save", "inputs": {"images": ["6", 0]}}})",
                                          "Uniform");
  const Subject subject = find_subject(graph, registry(), "");
  EXPECT_THAT(subject.samplers, ElementsAre("5"));
  EXPECT_EQ(subject.step_count, 12);
  EXPECT_THAT(nodes_of(graph), ::testing::IsSupersetOf({"Guider(model=Apply.0)", "Scheduler(model=Apply.0, steps=12)",
                                                        "Apply(model=Loader.0, policy=Uniform.0)"}));
  EXPECT_EQ(graph.nodes.size(), 9U) << "one policy and one node that applies it, though two take the model";
}

TEST(InsertedPolicy, StandsBetweenTheModelAndTheSampler) {
  EXPECT_THAT(nodes_of(with_policy(kSimple, "Uniform:interval=3")),
              ElementsAre("Loader()", "Empty()", "Sampler(model=Apply.0, seed=7, steps=10, latent_image=Empty.0)",
                          "Decode(latent_image=Sampler.0)", "Save(images=Decode.0)", "Uniform(interval=3)",
                          "Apply(model=Loader.0, policy=Uniform.0)"));
}

TEST(InsertedPolicy, MayBeANodeThatTakesAModelAndGivesOne) {
  EXPECT_THAT(nodes_of(with_policy(kSimple, "Easy:threshold=0.5")),
              ::testing::IsSupersetOf({"Easy(model=Loader.0, threshold=0.5)",
                                       "Sampler(model=Easy.0, seed=7, steps=10, latent_image=Empty.0)"}));
}

TEST(InsertedPolicy, MayHoldOthers) {
  // Settings that nobody names have their defaults.
  const WorkflowGraph graph = with_policy(
      kSimple, "Chain:first=(Uniform:interval=2),second=(Chain:first=(Uniform),second=(Uniform:interval=9))");
  EXPECT_THAT(nodes_of(graph), ::testing::IsSupersetOf({"Uniform(interval=2)", "Uniform(interval=5)",
                                                        "Uniform(interval=9)", "Chain(first=Uniform.0, second=Chain.0)",
                                                        "Chain(first=Uniform.0, second=Uniform.0)",
                                                        "Apply(model=Loader.0, policy=Chain.0)"}));
}

TEST(InsertedPolicy, IsSharedByTheModelsThatAreSampled) {
  const WorkflowGraph graph = with_policy(R"({
    "1": {"class_type": "Loader", "inputs": {}},
    "1b": {"class_type": "Patch", "inputs": {"model": ["1", 0]}},
    "2": {"class_type": "Empty", "inputs": {}},
    "3": {"class_type": "Sampler", "inputs": {"model": ["1", 0], "seed": 1, "steps": 10, "latent_image": ["2", 0]}},
    "3b": {"class_type": "Sampler", "inputs": {"model": ["1b", 0], "seed": 2, "steps": 5, "latent_image": ["3", 0]}},
    "4": {"class_type": "Decode", "inputs": {"latent_image": ["3b", 0]}},
    "5": {"class_type": "Save", "inputs": {"images": ["4", 0]}}})",
                                          "Uniform");
  EXPECT_THAT(nodes_of(graph),
              ::testing::IsSupersetOf({"Apply(model=Loader.0, policy=Uniform.0)",
                                       "Apply(model=Patch.0, policy=Uniform.0)", "Patch(model=Loader.0)"}));
  EXPECT_EQ(graph.nodes.size(), 10U);
}

TEST(InsertedPolicy, PassesByTheCachesThatAreThereButNoOtherPatch) {
  constexpr const char* kCached = R"({
    "1": {"class_type": "Loader", "inputs": {}},
    "1a": {"class_type": "Easy", "inputs": {"model": ["1", 0], "threshold": 0.1}},
    "1b": {"class_type": "Patch", "inputs": {"model": ["1a", 0]}},
    "1c": {"class_type": "Uniform", "inputs": {"interval": 2}},
    "1d": {"class_type": "Apply", "inputs": {"model": ["1b", 0], "policy": ["1c", 0]}},
    "2": {"class_type": "Empty", "inputs": {}},
    "3": {"class_type": "Sampler", "inputs": {"model": ["1d", 0], "seed": 1, "steps": 9, "latent_image": ["2", 0]}},
    "4": {"class_type": "Decode", "inputs": {"latent_image": ["3", 0]}},
    "5": {"class_type": "Save", "inputs": {"images": ["4", 0]}}})";
  EXPECT_THAT(nodes_of(with_policy(kCached, "Easy:threshold=0.5")),
              ::testing::IsSupersetOf({"Patch(model=Loader.0)", "Easy(model=Patch.0, threshold=0.5)",
                                       "Sampler(model=Easy.0, seed=1, steps=9, latent_image=Empty.0)"}));
  EXPECT_THAT(nodes_of(with_policy(kCached, "Uniform:interval=7")),
              ::testing::IsSupersetOf({"Patch(model=Loader.0)", "Apply(model=Patch.0, policy=Uniform.0)",
                                       "Sampler(model=Apply.0, seed=1, steps=9, latent_image=Empty.0)"}));
  EXPECT_THAT(nodes_of(with_policy(kCached, "Patch")),
              ::testing::IsSupersetOf({"Patch(model=Apply.0)", "Apply(model=Patch.0, policy=Uniform.0)",
                                       "Easy(model=Loader.0, threshold=0.1)"}))
      << "what is no cache comes on top";
}

TEST(InsertedPolicy, ComesToAnEndInACircleOfCaches) {
  const WorkflowGraph graph = with_policy(R"({
    "1a": {"class_type": "Easy", "inputs": {"model": ["1b", 0]}},
    "1b": {"class_type": "Easy", "inputs": {"model": ["1a", 0]}},
    "2": {"class_type": "Empty", "inputs": {}},
    "3": {"class_type": "Sampler", "inputs": {"model": ["1a", 0], "seed": 1, "steps": 9, "latent_image": ["2", 0]}},
    "4": {"class_type": "Decode", "inputs": {"latent_image": ["3", 0]}},
    "5": {"class_type": "Save", "inputs": {"images": ["4", 0]}}})",
                                          "Uniform");
  EXPECT_EQ(graph.nodes.size(), 8U);
}

TEST(InsertedPolicy, MustBeAPolicy) {
  for (const char* text : {"Nonsense", "Loader", "Decode", "Apply", "Chain:first=(Easy),second=(Uniform)"}) {
    try {
      with_policy(kSimple, text);
      ADD_FAILURE() << text;
    } catch (const ValidationError& error) {
      EXPECT_EQ(error.code(), "unknown_policy");
      EXPECT_THAT(error.what(), HasSubstr("Policies are: Chain, Uniform"));
    }
  }
}

TEST(ShortenedRun, KeepsTheProportionsOfItsParts) {
  WorkflowGraph graph = parse_workflow(R"({
    "1": {"class_type": "Loader", "inputs": {}},
    "2": {"class_type": "Empty", "inputs": {}},
    "3": {"class_type": "SamplerAdvanced", "inputs": {"model": ["1", 0], "noise_seed": 1, "steps": 30, "start_at_step": 0,
          "end_at_step": 20, "latent_image": ["2", 0]}},
    "4": {"class_type": "SamplerAdvanced", "inputs": {"model": ["1", 0], "noise_seed": 1, "steps": 30, "start_at_step": 20,
          "end_at_step": 10000, "latent_image": ["3", 0]}},
    "5": {"class_type": "Decode", "inputs": {"latent_image": ["4", 0]}},
    "6": {"class_type": "Save", "inputs": {"images": ["5", 0]}}})",
                                       "w.json");
  const Subject subject = find_subject(graph, registry(), "");
  set_steps(graph, registry(), subject, 10);
  EXPECT_THAT(nodes_of(graph),
              ::testing::IsSupersetOf(
                  {"SamplerAdvanced(model=Loader.0, noise_seed=1, steps=10, start_at_step=0, end_at_step=7, "
                   "latent_image=Empty.0)",
                   "SamplerAdvanced(model=Loader.0, noise_seed=1, steps=10, start_at_step=7, end_at_step=10000, "
                   "latent_image=SamplerAdvanced.0)"}));
}

TEST(ShortenedRun, MovesTheCutBetweenNoiseLevels) {
  WorkflowGraph graph = parse_workflow(R"({
    "1": {"class_type": "Loader", "inputs": {}},
    "2": {"class_type": "Empty", "inputs": {}},
    "3": {"class_type": "Guider", "inputs": {"model": ["1", 0]}},
    "4": {"class_type": "Scheduler", "inputs": {"model": ["1", 0], "steps": 30}},
    "5": {"class_type": "Split", "inputs": {"sigmas": ["4", 0], "step": 20}},
    "6": {"class_type": "TwoLatents", "inputs": {"guider": ["3", 0], "sigmas": ["5", 0], "latent_image": ["2", 0]}},
    "7": {"class_type": "TwoLatents", "inputs": {"guider": ["3", 0], "sigmas": ["5", 1], "latent_image": ["6", 0]}},
    "8": {"class_type": "Decode", "inputs": {"latent_image": ["7", 1]}},
    "9": {"class_type": "Save", "inputs": {"images": ["8", 0]}}})",
                                       "w.json");
  const Subject subject = find_subject(graph, registry(), "");
  EXPECT_THAT(subject.samplers, UnorderedElementsAre("6", "7"));
  EXPECT_EQ(subject.latent->node, "7");
  EXPECT_EQ(subject.latent->slot, 1U) << "the one that is decoded";
  EXPECT_EQ(subject.step_count, 30);
  set_steps(graph, registry(), subject, 10);
  EXPECT_THAT(nodes_of(graph),
              ::testing::IsSupersetOf({"Scheduler(model=Loader.0, steps=10)", "Split(sigmas=Scheduler.0, step=7)"}));
}

TEST(SetSeed, ReplacesEverySeedALinkedOneToo) {
  WorkflowGraph graph = parse_workflow(kSimple, "w.json");
  const Subject subject = find_subject(graph, registry(), "");
  set_seed(graph, registry(), subject, 18446744073709551615U);
  EXPECT_THAT(nodes_of(graph), ::testing::Contains("Sampler(model=Loader.0, seed=18446744073709551615, steps=10, "
                                                   "latent_image=Empty.0)"));
}

TEST(KeepOnly, TakesOutWhatThePictureDoesNotNeed) {
  WorkflowGraph graph = parse_workflow(R"({
    "0": {"class_type": "Unknown", "inputs": {}},
    "1": {"class_type": "Loader", "inputs": {}},
    "2": {"class_type": "Empty", "inputs": {}},
    "3": {"class_type": "Sampler", "inputs": {"model": ["1", 0], "seed": 7, "steps": 10, "latent_image": ["2", 0]}},
    "4": {"class_type": "Decode", "inputs": {"latent_image": ["3", 0]}},
    "5": {"class_type": "Save", "inputs": {"images": ["4", 0]}},
    "6": {"class_type": "Save", "inputs": {"images": ["4", 0]}}})",
                                       "w.json");
  keep_only(graph, find_subject(graph, registry(), "6"));
  EXPECT_THAT(nodes_of(graph),
              ElementsAre("Loader()", "Empty()", "Sampler(model=Loader.0, seed=7, steps=10, latent_image=Empty.0)",
                          "Decode(latent_image=Sampler.0)", "Save(images=Decode.0)"));
  EXPECT_EQ(graph.nodes.back().id, "6");
}

}  // namespace
}  // namespace refrain::cli
