// Loader, text encoder, sampler and decoder as nodes, on the small checkpoint. What they should give was computed by
// ComfyUI 0.3.64 (tests/reference/vectors_runs.py).

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/ops/zeros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;
using diffusion::testing::identical;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Of the standard deviation: what the acceptance allows. ComfyUI itself differs by up to 6e-6 between 1 and 2 threads
// here.
constexpr double kTolerance = 1e-4;

Value number(double x) { return value<double>(x); }

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("sampling_small.safetensors");
  return vectors;
}

/// MODEL, CLIP and VAE of the small checkpoint, loaded once.
const std::vector<Value>& checkpoint() {
  static const std::vector<Value> loaded =
      NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}});
  return loaded;
}

Value condition(const char* name) { return value(Conditioning{{{golden()[std::string("input/") + name], {}, {}}}}); }

/// KSampler's inputs as the golden runs have them.
NodeRunner::Inputs inputs(const char* latent, const char* sampler, const char* scheduler) {
  return {{"model", checkpoint()[0]},
          {"seed", value<std::uint64_t>(std::stoull(golden().note("seed")))},
          {"steps", integer(std::stoll(golden().note("steps")))},
          {"cfg", number(7.5)},
          {"sampler_name", text(sampler)},
          {"scheduler", text(scheduler)},
          {"positive", condition("positive")},
          {"negative", condition("negative")},
          {"latent_image", value(Latent{golden()[std::string("input/") + latent], {}, {}})}};
}

at::Tensor sample(NodeRunner& node, NodeRunner::Inputs given) {
  return node.run("KSampler", std::move(given))[0].as<Latent>().samples;
}

Value cached(const Value& model, const char* policy, NodeRunner::Inputs settings) {
  NodeRunner node;
  const Value made = node.run(policy, std::move(settings))[0];
  return node.run("ApplyCachePolicy", {{"model", model}, {"policy", made}})[0];
}

struct Run {
  const char* sampler;
  const char* scheduler;
};

class KSamplerRuns : public ::testing::TestWithParam<Run> {};

TEST_P(KSamplerRuns, GiveComfyUIsLatents) {
  NodeRunner node;
  const auto [sampler, scheduler] = GetParam();
  const at::Tensor ours = sample(node, inputs("one", sampler, scheduler));
  EXPECT_LT(difference(ours, golden()[std::string("guided/") + sampler + "/" + scheduler]), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(All, KSamplerRuns, ::testing::ValuesIn([] {
                           std::vector<Run> runs;
                           for (const char* sampler : {"euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim"}) {
                             for (const char* scheduler : {"normal", "karras", "simple"})
                               runs.push_back({sampler, scheduler});
                           }
                           return runs;
                         }()),
                         [](const auto& test) { return std::string(test.param.sampler) + "_" + test.param.scheduler; });

TEST(KSampler, DrawsTheNoiseOfAWholeBatchFromOneSeed) {
  NodeRunner node;
  EXPECT_LT(difference(sample(node, inputs("two", "euler", "normal")), golden()["batch/euler/normal"]), kTolerance);
}

TEST(KSampler, StartsFromAPictureWhereDenoiseIsBelowOne) {
  NodeRunner node;
  NodeRunner::Inputs given = inputs("picture", "dpmpp_2m", "normal");
  given["denoise"] = number(0.6);
  EXPECT_LT(difference(sample(node, given), golden()["picture/dpmpp_2m/normal"]), kTolerance);
}

TEST(KSampler, GivesTheLatentBackWhereThereIsNothingToDenoise) {
  NodeRunner node;
  NodeRunner::Inputs given = inputs("picture", "euler", "normal");
  given["denoise"] = number(0.0);
  EXPECT_TRUE(identical(sample(node, given), golden()["input/picture"]));
}

TEST(KSampler, TellsEveryStep) {
  NodeRunner node;
  sample(node, inputs("one", "heun", "normal"));
  ASSERT_THAT(node.host.steps, SizeIs(10));
  EXPECT_EQ(node.host.steps.front(), std::make_pair(std::int64_t{1}, std::int64_t{10}));
  EXPECT_EQ(node.host.steps.back(), std::make_pair(std::int64_t{10}, std::int64_t{10}));
}

TEST(KSampler, StopsWithinOneStepOfBeingAsked) {
  NodeRunner node;
  node.host.cancel_after_steps = 3;
  EXPECT_THROW(sample(node, inputs("one", "euler", "normal")), Cancelled);
  EXPECT_LE(node.host.steps.size(), 4U);
}

TEST(KSampler, ReportsWhatEveryEvaluationDid) {
  NodeRunner node;
  NodeRunner::Inputs given = inputs("one", "euler", "normal");
  given["model"] = cached(checkpoint()[0], "UniformCache", {{"interval", integer(5)}, {"depth", integer(0)}});
  sample(node, given);
  ASSERT_THAT(node.report, SizeIs(1));
  EXPECT_EQ(node.report[0].key, "sampling");
  const auto report = nlohmann::json::parse(node.report[0].json);
  ASSERT_EQ(report.at("actions").size(), 10U);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(report.at("actions").at(i).at("action"), i % 5 == 0 ? "full" : "deep(0)") << i;
  }
  EXPECT_LT(report.at("macs").get<double>(), 0.9 * report.at("macs_uncached").get<double>());
  EXPECT_THAT(report.at("policy").get<std::string>(), HasSubstr("5"));
}

TEST(KSampler, RefusesWhatItCannotHonour) {
  NodeRunner node;
  NodeRunner::Inputs given = inputs("one", "euler", "normal");
  given["positive"] = value(Conditioning{{{golden()["input/positive"], {}, {{"gligen", 1.0}}}}});
  EXPECT_THROW(sample(node, given), NodeError);
}

class Policies : public ::testing::TestWithParam<int> {};

TEST_P(Policies, IntervalOneEqualsNoCacheBitForBit) {
  NodeRunner node;
  const at::Tensor plain = sample(node, inputs("one", "euler", "normal"));
  NodeRunner::Inputs given = inputs("one", "euler", "normal");
  given["model"] = cached(checkpoint()[0], "UniformCache", {{"interval", integer(1)}, {"depth", integer(GetParam())}});
  EXPECT_TRUE(identical(sample(node, given), plain));
}

INSTANTIATE_TEST_SUITE_P(AtEveryDepth, Policies, ::testing::Range(0, 12));

TEST(UniformCache, GivesWhatComfyUIGivesWithTheSameCut) {
  NodeRunner node;
  for (const int interval : {2, 3}) {
    for (const int depth : {0, 1, 2}) {
      NodeRunner::Inputs given = inputs("one", "euler", "normal");
      given["model"] =
          cached(checkpoint()[0], "UniformCache", {{"interval", integer(interval)}, {"depth", integer(depth)}});
      const std::string name = "uniform/" + std::to_string(interval) + "/" + std::to_string(depth) + "/euler/normal";
      EXPECT_LT(difference(sample(node, given), golden()[name]), kTolerance) << name;
    }
  }
}

TEST(ListedCache, EqualsUniformCacheOnTheSameSteps) {
  NodeRunner node;
  NodeRunner::Inputs listed = inputs("one", "euler", "normal");
  listed["model"] = cached(checkpoint()[0], "ListedCache", {{"steps", text("0, 3,6 ,\t9")}, {"depth", integer(1)}});
  NodeRunner::Inputs uniform = inputs("one", "euler", "normal");
  uniform["model"] = cached(checkpoint()[0], "UniformCache", {{"interval", integer(3)}, {"depth", integer(1)}});
  EXPECT_TRUE(identical(sample(node, listed), sample(node, uniform)));
}

TEST(ListedCache, RefusesWhatIsNoListOfSteps) {
  NodeRunner node;
  for (const char* steps : {"0, x", "1.5", "-1", "0;5", "99999999999999999999"}) {
    EXPECT_THAT(node.validate("ListedCache", {{"steps", text(steps)}}), SizeIs(1)) << steps;
    EXPECT_THROW(node.run("ListedCache", {{"steps", text(steps)}}), NodeError) << steps;
  }
  EXPECT_THAT(node.validate("ListedCache", {{"steps", text("")}}), SizeIs(0));
}

TEST(NoCache, EqualsAModelWithoutAPolicy) {
  NodeRunner node;
  NodeRunner::Inputs given = inputs("one", "euler", "normal");
  given["model"] = cached(checkpoint()[0], "NoCache", {});
  EXPECT_TRUE(identical(sample(node, given), sample(node, inputs("one", "euler", "normal"))));
}

TEST(ApplyCachePolicy, LeavesTheModelThatGoesInAsItIs) {
  cached(checkpoint()[0], "UniformCache", {});
  EXPECT_EQ(checkpoint()[0].as<diffusion::Model>().cache_policy, nullptr);
}

TEST(ApplyCachePolicy, SaysSoWhenTheModelLacksTheDepth) {
  NodeRunner node;
  NodeRunner::Inputs given = inputs("one", "euler", "normal");
  given["model"] = cached(checkpoint()[0], "UniformCache", {{"interval", integer(2)}, {"depth", integer(12)}});
  EXPECT_THROW(sample(node, given), diffusion::ModelError);
}

TEST(CLIPTextEncode, GivesChunksOf77Tokens) {
  NodeRunner node;
  const auto encode = [&](const std::string& words) {
    return node.run("CLIPTextEncode", {{"clip", checkpoint()[1]}, {"text", text(words)}})[0].as<Conditioning>();
  };
  const Conditioning one = encode("a lighthouse");
  ASSERT_THAT(one.items, SizeIs(1));
  EXPECT_EQ(one.items[0].tokens.sizes().vec(), (std::vector<std::int64_t>{1, 77, 64}));
  EXPECT_EQ(one.items[0].pooled.sizes().vec(), (std::vector<std::int64_t>{1, 64}));
  std::string many;
  for (int i = 0; i < 80; ++i) many += "word ";
  EXPECT_EQ(encode(many).items[0].tokens.size(1), 154);
  EXPECT_FALSE(identical(encode("(a:1.5) lighthouse").items[0].tokens, encode("a lighthouse").items[0].tokens));
}

TEST(VAEDecode, GivesPicturesOfEightTimesTheSides) {
  NodeRunner node;
  const auto out = node.run(
      "VAEDecode", {{"samples", value(Latent{golden()["batch/euler/normal"], {}, {}})}, {"vae", checkpoint()[2]}});
  const at::Tensor& pixels = out[0].as<Image>().pixels;
  EXPECT_EQ(pixels.sizes().vec(), (std::vector<std::int64_t>{2, 64, 96, 3}));
  EXPECT_GE(pixels.min().item<float>(), 0.0F);
  EXPECT_LE(pixels.max().item<float>(), 1.0F);
}

TEST(VAEDecode, RefusesWhatCannotFitBeforeItIsTried) {
  NodeRunner node;
  node.host.free_bytes = 1000;
  EXPECT_THROW(
      node.run("VAEDecode", {{"samples", value(Latent{at::zeros({1, 4, 8, 8}), {}, {}})}, {"vae", checkpoint()[2]}}),
      NodeError);
}

TEST(CheckpointLoader, NamesAMissingFileAndWhatIsThereInstead) {
  NodeRunner node;
  try {
    node.run("CheckpointLoaderSimple", {{"ckpt_name", text("smal.safetensors")}});
    FAIL() << "loaded a file that is not there";
  } catch (const NodeError& error) {
    EXPECT_THAT(error.what(), HasSubstr("smal.safetensors"));
    EXPECT_THAT(error.what(), HasSubstr("small.safetensors"));
  }
}

TEST(CheckpointLoader, NamesADamagedFile) {
  NodeRunner node;
  const std::string whole = read_text(std::filesystem::path(REFRAIN_TEST_MODELS) / "checkpoints/small.safetensors");
  for (const std::size_t size : {std::size_t{0}, std::size_t{5}, std::size_t{5000}, whole.size() - 1}) {
    node.folder.write("models/checkpoints/cut.safetensors", std::string_view(whole).substr(0, size));
    try {
      node.run("CheckpointLoaderSimple", {{"ckpt_name", text("cut.safetensors")}});
      FAIL() << "loaded " << size << " bytes of " << whole.size();
    } catch (const diffusion::ModelError& error) {
      EXPECT_THAT(error.what(), HasSubstr("cut.safetensors"));
    }
  }
}

}  // namespace
}  // namespace refrain::testing
