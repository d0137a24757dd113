// The cache nodes: what they offer, what they make, and what a run under them reports. What the policies decide is
// tested in tests/diffusion.

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"
#include "planning/object_info.hpp"

namespace refrain::testing {
namespace {

using nlohmann::ordered_json;
using ::testing::HasSubstr;
using ::testing::SizeIs;

Value number(double x) { return value<double>(x); }

const Value& model() {
  static const Value loaded = NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}})[0];
  return loaded;
}

std::string described(const char* policy, NodeRunner::Inputs inputs = {}) {
  NodeRunner node;
  return node.run(policy, std::move(inputs))[0].as<diffusion::CachePolicy>().describe();
}

Value uniform(std::int64_t interval) { return NodeRunner().run("UniformCache", {{"interval", integer(interval)}})[0]; }

/// The run's report of ten steps under a model.
nlohmann::json report_of(const Value& cached) {
  const diffusion::testing::GoldenVectors golden("sampling_small.safetensors");
  const auto condition = [&](const char* name) {
    return value(Conditioning{{{golden[std::string("input/") + name], {}, {}}}});
  };
  NodeRunner node;
  node.run("KSampler", {{"model", cached},
                        {"seed", value<std::uint64_t>(7)},
                        {"steps", integer(10)},
                        {"cfg", number(7.5)},
                        {"sampler_name", text("euler")},
                        {"scheduler", text("normal")},
                        {"positive", condition("positive")},
                        {"negative", condition("negative")},
                        {"latent_image", value(Latent{golden["input/one"], {}, {}})}});
  return nlohmann::json::parse(node.report.at(0).json);
}

TEST(CacheNodes, MakeThePolicyThatTheirInputsSay) {
  EXPECT_EQ(described("NonUniformCache"), "non-uniform, interval 5, center 15, power 1.4, depth 0");
  EXPECT_EQ(described("NonUniformCache", {{"formula", text("paper")}, {"depth", integer(2)}}),
            "non-uniform, interval 5, center 15, power 1.4 (paper), depth 2");
  EXPECT_EQ(described("TaylorCache"), "taylor, interval 5, order 1 in the step, warm-up 3, depth 0");
  EXPECT_EQ(described("TaylorCache", {{"variable", text("log_snr")}, {"form", text("newton")}, {"order", integer(2)}}),
            "taylor, interval 5, order 2 in log-SNR (newton), warm-up 3, depth 0");
  EXPECT_EQ(described("EncoderPropagation"), "encoder propagation, full at 0 1 2 3 5 10 15 25 35");
  EXPECT_EQ(described("PublishedEasyCache"), "published easycache, threshold 0.05, warm-up 10, reuses the residual");
  EXPECT_EQ(described("PublishedEasyCache", {{"reuse", text("denoised")}}),
            "published easycache, threshold 0.05, warm-up 10, reuses the denoised");
  EXPECT_EQ(described("PhaseCache", {{"policy", uniform(3)}, {"end_percent", number(0.5)}}),
            "uniform, interval 3, depth 0, in the phase 0 to 0.5");
  EXPECT_EQ(described("ChainCache", {{"first", uniform(3)}, {"second", uniform(5)}}),
            "uniform, interval 3, depth 0; then uniform, interval 5, depth 0");
}

TEST(CacheNodes, RejectWhatCantBeBeforeAnythingRuns) {
  NodeRunner node;
  EXPECT_THAT(node.validate("EncoderPropagation", {{"key_steps", text("0, x")}}), SizeIs(1));
  EXPECT_THAT(node.validate("PhaseCache", {{"start_percent", number(0.6)}, {"end_percent", number(0.5)}}), SizeIs(1));
  EXPECT_THAT(node.validate("PhaseCache", {{"start_percent", number(0.5)}, {"end_percent", number(0.6)}}), SizeIs(0));
}

TEST(ModelCacheNodes, PutTheirPolicyOnTheModel) {
  for (const auto& [name, expected] : {std::pair("EasyCache", "easycache, threshold 0.2, from 0.15 to 0.95"),
                                       {"LazyCache", "lazycache, threshold 0.2, from 0.15 to 0.95"},
                                       {"DeepCache", "deepcache, interval 5, depth 3, steps 0 to 1000 of 1000"}}) {
    NodeRunner node;
    const Value cached = node.run(name, {{"model", model()}})[0];
    EXPECT_EQ(cached.as<diffusion::Model>().cache_policy->describe(), expected);
    EXPECT_EQ(cached.as<diffusion::Model>().unet, model().as<diffusion::Model>().unet);
    EXPECT_EQ(model().as<diffusion::Model>().cache_policy, nullptr);
    try {
      node.run(name, {{"model", cached}});
      ADD_FAILURE() << "two caches on one model";
    } catch (const NodeError& error) {
      EXPECT_THAT(error.what(), HasSubstr(expected));
      EXPECT_THAT(error.what(), HasSubstr("ChainCache"));
    }
  }
}

TEST(ModelCacheNodes, OfADepthThatTheModelLacksSaySo) {
  NodeRunner node;
  const Value cached = node.run("DeepCache", {{"model", model()}, {"cache_depth", integer(12)}})[0];
  EXPECT_THROW(report_of(cached), diffusion::ModelError);
}

/// [type, options] of an input of a node's description.
ordered_json declared(const char* node, const char* input) {
  const TemporaryFolder folder;
  const TestHost host(folder.path());
  ordered_json entry = ordered_json::parse(object_info(built_nodes(), host, std::vector<std::string>{node})).at(node);
  entry = entry.at("input").at("required").at(input);
  if (entry.size() > 1) entry[1].erase("tooltip");
  return entry;
}

// As ComfyUI 0.3.64 and the community's node declare them.
TEST(ModelCacheNodes, HaveTheInputsOfTheirOriginals) {
  const auto number_input = [](const char* type, nlohmann::json options) {
    return nlohmann::json::array({type, std::move(options)});
  };
  for (const char* name : {"EasyCache", "LazyCache"}) {
    const auto expect = [&](const char* input, double preset, double most) {
      EXPECT_EQ(nlohmann::json(declared(name, input)),
                number_input("FLOAT", {{"default", preset}, {"min", 0.0}, {"max", most}, {"step", 0.01}}));
    };
    expect("reuse_threshold", 0.2, 3.0);
    expect("start_percent", 0.15, 1.0);
    expect("end_percent", 0.95, 1.0);
    EXPECT_EQ(nlohmann::json(declared(name, "verbose")), number_input("BOOLEAN", {{"default", false}}));
    EXPECT_EQ(built_nodes().find(name)->schema.category, "advanced/debug/model");
    EXPECT_TRUE(built_nodes().find(name)->schema.experimental);
  }
  const auto expect = [&](const char* input, int preset, int least, int most) {
    const nlohmann::json found = declared("DeepCache", input);
    EXPECT_EQ(found[0], "INT");
    EXPECT_EQ(found[1].at("default"), preset);
    EXPECT_EQ(found[1].at("min"), least);
    EXPECT_EQ(found[1].at("max"), most);
  };
  expect("cache_interval", 5, 1, 1000);
  expect("cache_depth", 3, 0, 12);
  expect("start_step", 0, 0, 1000);
  expect("end_step", 1000, 0, 1000);
  EXPECT_EQ(built_nodes().find("DeepCache")->schema.category, "loaders");
}

TEST(CachedRuns, ReportWhatWasDoneWhyAndWhatItGained) {
  NodeRunner node;
  const Value cached = node.run("ApplyCachePolicy", {{"model", model()}, {"policy", uniform(5)}})[0];
  const nlohmann::json report = report_of(cached);
  EXPECT_EQ(report.at("peak_kept_bytes"), 2 * 64 * 8 * 12 * 4);  // both halves of h_0, float32
  const nlohmann::json& reused = report.at("actions").at(1);
  EXPECT_EQ(reused.at("action"), "deep(0)");
  EXPECT_EQ(reused.at("asked"), "deep(0)");
  EXPECT_EQ(reused.at("guard"), "none");
  EXPECT_EQ(reused.at("estimate"), nlohmann::json::parse(R"({"of": "feature", "weights": []})"));
  EXPECT_LE(reused.at("network_milliseconds"), reused.at("milliseconds"));
  EXPECT_EQ(report.at("actions").at(0).at("why"), "a step of the schedule");
  ASSERT_EQ(report.at("kinds").size(), 2U);
  EXPECT_EQ(report.at("kinds").at(0).at("action"), "full");
  EXPECT_EQ(report.at("kinds").at(0).at("count"), 2);
  EXPECT_EQ(report.at("kinds").at(1).at("count"), 8);
  const nlohmann::json& speed = report.at("speed_up");
  EXPECT_NEAR(speed.at("ideal_by_macs").get<double>(),
              report.at("macs_uncached").get<double>() / report.at("macs").get<double>(), 1e-3);
  // One sample: of two full evaluations and eight of depth 0, as the papers count.
  const auto& unet = *model().as<diffusion::Model>().unet;
  const auto published = [&](diffusion::Evaluate evaluate) { return unet.macs(evaluate, 8, 12, 77).module; };
  const double full = published(diffusion::Evaluate::full()), deep = published(diffusion::Evaluate::deep(0));
  EXPECT_NEAR(report.at("published_macs").at("full").get<double>(), full, 1);
  EXPECT_NEAR(report.at("published_macs").at("average").get<double>(), (2 * full + 8 * deep) / 10, 1);
  EXPECT_NEAR(reused.at("published_macs").get<double>(), 2 * deep, 1);
  EXPECT_NEAR(report.at("kinds").at(1).at("published_macs").get<double>(), 8 * 2 * deep, 1);
  EXPECT_NEAR(speed.at("ideal_by_published_macs").get<double>(), 10 * full / (2 * full + 8 * deep), 1e-3);
  EXPECT_GT(speed.at("ideal_by_costs"), 0);
  EXPECT_GT(speed.at("realised"), 0);
}

TEST(CachedRuns, TellTheSumThatDecided) {
  NodeRunner node;
  const Value cached = node.run("LazyCache", {{"model", model()}, {"reuse_threshold", number(3.0)}})[0];
  const nlohmann::json report = report_of(cached);
  std::string reasons;
  for (const nlohmann::json& action : report.at("actions")) reasons += action.at("why").get<std::string>() + "\n";
  EXPECT_THAT(reasons, HasSubstr("before the start of the window"));
  EXPECT_THAT(reasons, HasSubstr("accumulated change 0."));
}

}  // namespace
}  // namespace refrain::testing
