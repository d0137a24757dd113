// The nodes of the references: time steps, samplers, conditionings and latents of LDM-4-G and DDPM.

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/reference_sampling.hpp>
#include <refrain/diffusion/sampling.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/ops/zeros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;
using diffusion::testing::GoldenVectors;
using diffusion::testing::identical;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const std::vector<Value>& loaded(const std::string& file) {
  static std::map<std::string, std::vector<Value>> files;
  auto place = files.find(file);
  if (place == files.end()) {
    place = files.emplace(file, NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text(file)}})).first;
  }
  return place->second;
}

Value model(const std::string& family) { return loaded("small_" + family + ".safetensors")[0]; }
Value number(double x) { return value<double>(x); }

Value timesteps(const Value& of, const char* rule, std::int64_t steps, const char* final_alpha = "as usual") {
  return NodeRunner().run(
      "ReferenceTimesteps",
      {{"model", of}, {"rule", text(rule)}, {"steps", integer(steps)}, {"final_alpha", text(final_alpha)}})[0];
}

/// A run of ten steps through SamplerCustom, from the golden vectors' seed.
at::Tensor sampled(const Value& of, const Value& sampler, const Value& sigmas, const Value& positive,
                   const Value& negative, double cfg, at::IntArrayRef shape, const GoldenVectors& golden) {
  NodeRunner runner;
  const auto outputs =
      runner.run("SamplerCustom", {{"model", of},
                                   {"noise_seed", value<std::uint64_t>(std::stoull(golden.note("seed")))},
                                   {"cfg", number(cfg)},
                                   {"positive", positive},
                                   {"negative", negative},
                                   {"sampler", sampler},
                                   {"sigmas", sigmas},
                                   {"latent_image", value(Latent{at::zeros(shape), {}, {}})}});
  return outputs[0].as<Latent>().samples;
}

constexpr double kRun = 2e-5;  // see tests/diffusion/reference_runs_test.cpp

TEST(ReferenceNodes, RunLdm4gAsTheOriginalDoes) {
  const GoldenVectors golden("reference_runs_small.safetensors");
  const Value ldm = model("ldm4g");
  NodeRunner runner;
  const Value sampler = runner.run("ReferenceDDIM", {{"model", ldm}, {"implementation", text("ldm")}})[0];
  const Value classes = runner.run("ClassConditioning", {{"model", ldm}, {"labels", text("25, 187")}})[0];
  const Value nothing = runner.run("UnconditionalConditioning", {{"model", ldm}})[0];
  const at::Tensor latent =
      sampled(ldm, sampler, timesteps(ldm, "ldm uniform", 10), classes, nothing, 1.5, {2, 3, 8, 8}, golden);
  EXPECT_LT(difference(latent, golden["ldm4g/ddim/1.5"][-1]), kRun);
}

TEST(ReferenceNodes, RunDdpmAsTheOriginalDoes) {
  const GoldenVectors golden("reference_runs_small.safetensors");
  const Value ddpm = model("ddpm-cifar");
  NodeRunner runner;
  const Value nothing = runner.run("UnconditionalConditioning", {{"model", ddpm}})[0];
  const Value ddim = runner.run("ReferenceDDIM", {{"model", ddpm}, {"implementation", text("ermongroup")}})[0];
  const Value quad = timesteps(ddpm, "ermongroup quad", 10);
  EXPECT_LT(
      difference(sampled(ddpm, ddim, quad, nothing, nothing, 1, {1, 3, 16, 16}, golden), golden["ddpm/ddim/quad/0"]),
      kRun);
  const Value noisy = runner.run("ReferenceDDPM", {{"model", ddpm}, {"implementation", text("ermongroup")}})[0];
  const Value uniform = timesteps(ddpm, "ermongroup uniform", 10);
  EXPECT_LT(difference(sampled(ddpm, noisy, uniform, nothing, nothing, 1, {1, 3, 16, 16}, golden),
                       golden["ddpm/ddpm/uniform"]),
            kRun);
}

TEST(ReferenceNodes, EmbedTimeAsTheImplementationDoes) {
  const Value ddpm = model("ddpm-cifar");
  NodeRunner runner;
  const auto sampler_of = [&](const char* implementation) {
    const Value made = runner.run("ReferenceDDIM", {{"model", ddpm}, {"implementation", text(implementation)}})[0];
    return made.as<diffusion::Sampler>();
  };
  EXPECT_EQ(sampler_of("ermongroup").frequencies, diffusion::Frequencies::original);
  diffusion::Sampler sampler = sampler_of("diffusers");
  EXPECT_EQ(sampler.frequencies, diffusion::Frequencies::diffusers);

  const GoldenVectors golden("reference_runs_small.safetensors");
  const Value nothing = runner.run("UnconditionalConditioning", {{"model", ddpm}})[0];
  const Value steps = timesteps(ddpm, "diffusers leading", 10);
  const auto result = [&] { return sampled(ddpm, value(sampler), steps, nothing, nothing, 1, {1, 3, 16, 16}, golden); };
  const at::Tensor as_diffusers = result();
  sampler.frequencies = diffusion::Frequencies::original;
  EXPECT_FALSE(identical(as_diffusers, result()));
  EXPECT_LT(difference(as_diffusers, result()), 1e-3);
}

TEST(ReferenceTimestepsNode, EndsWhereTheImplementationDoesOrWhereItIsTold) {
  const Value ldm = model("ldm4g");
  const auto last = [&](const char* rule, const char* final_alpha) {
    return timesteps(ldm, rule, 10, final_alpha).as<Sigmas>().values[-1].item<float>();
  };
  const float first = ldm.as<diffusion::Model>().schedule->sigma_min();
  EXPECT_EQ(last("ldm uniform", "as usual"), first);
  EXPECT_EQ(last("ermongroup uniform", "as usual"), 0);
  EXPECT_EQ(last("ldm uniform", "one"), 0);
  EXPECT_EQ(last("ermongroup uniform", "first"), first);
  EXPECT_EQ(timesteps(ldm, "ldm uniform", 30).as<Sigmas>().values.size(0), 32);
  EXPECT_ANY_THROW(timesteps(ldm, "ldm uniform", 1000));
}

TEST(ClassConditioningNode, GivesARowForEveryLabel) {
  const Value ldm = model("ldm4g");
  const at::Tensor& table = ldm.as<diffusion::Model>().class_embedding;
  const auto tokens = [&](const char* labels) {
    return NodeRunner()
        .run("ClassConditioning", {{"model", ldm}, {"labels", text(labels)}})[0]
        .as<Conditioning>()
        .items[0]
        .tokens;
  };
  EXPECT_TRUE(identical(tokens("7"), table[7].view({1, 1, -1})));
  EXPECT_TRUE(identical(tokens(" 1000 ,0")[0][0], table[1000]));
  EXPECT_EQ(tokens("1,2,3").sizes(), at::IntArrayRef({3, 1, 64}));
  for (const char* bad : {"", "cat", "1001", "-1", "1;2", "1,", "1 2", "99999999999999999999"}) {
    EXPECT_THAT([&] { tokens(bad); }, ThrowsMessage<NodeError>(HasSubstr("input labels"))) << bad;
  }
}

TEST(ClassConditioningNode, SaysWhatToUseForAModelWithoutClasses) {
  EXPECT_THAT(
      [] {
        NodeRunner().run("ClassConditioning", {{"model", model("ddpm-cifar")}});
      },
      ThrowsMessage<NodeError>(HasSubstr("UnconditionalConditioning")));
  EXPECT_THAT(
      [] {
        NodeRunner().run("UnconditionalConditioning", {{"model", loaded("small.safetensors")[0]}});
      },
      ThrowsMessage<NodeError>(HasSubstr("CLIPTextEncode")));
}

TEST(UnconditionalConditioningNode, IsTheLastClassOrATokenThatNobodyReads) {
  const auto tokens = [](const Value& of) {
    return NodeRunner().run("UnconditionalConditioning", {{"model", of}})[0].as<Conditioning>().items[0].tokens;
  };
  const Value ldm = model("ldm4g");
  EXPECT_TRUE(identical(tokens(ldm)[0][0], ldm.as<diffusion::Model>().class_embedding[1000]));
  EXPECT_EQ(tokens(model("ddpm")).sizes(), at::IntArrayRef({1, 1, 1}));
}

TEST(EmptyModelLatentNode, HasTheShapeThatTheModelWasTrainedOn) {
  const auto shape = [](const Value& of) {
    return NodeRunner()
        .run("EmptyModelLatent", {{"model", of}, {"batch_size", integer(2)}})[0]
        .as<Latent>()
        .samples.sizes()
        .vec();
  };
  EXPECT_EQ(shape(model("ldm4g")), (std::vector<std::int64_t>{2, 3, 16, 16}));
  EXPECT_EQ(shape(model("ddpm")), (std::vector<std::int64_t>{2, 3, 64, 64}));
  EXPECT_EQ(shape(loaded("small.safetensors")[0]), (std::vector<std::int64_t>{2, 4, 64, 64}));
}

TEST(ReferenceNodes, DecodeEachFamilysLatents) {
  const auto decoded = [](const std::string& family, std::int64_t side) {
    NodeRunner runner;
    const Value latent = value(Latent{at::zeros({1, 3, side, side}), {}, {}});
    return runner.run("VAEDecode", {{"samples", latent}, {"vae", loaded("small_" + family + ".safetensors")[2]}})[0]
        .as<Image>()
        .pixels;
  };
  EXPECT_EQ(decoded("ldm4g", 4).sizes(), at::IntArrayRef({1, 16, 16, 3}));
  EXPECT_TRUE(identical(decoded("ddpm", 4), at::zeros({1, 4, 4, 3}).fill_(0.5)));
}

TEST(ReferenceNodes, FamiliesWithoutPromptsSaySoWhenOneIsEncoded) {
  EXPECT_ANY_THROW(
      NodeRunner().run("CLIPTextEncode", {{"text", text("a cat")}, {"clip", loaded("small_ddpm.safetensors")[1]}}));
}

}  // namespace
}  // namespace refrain::testing
