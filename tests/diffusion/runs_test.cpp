// Prompts and whole KSampler runs on the small checkpoint, against ComfyUI's.

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/sampling.hpp>
#include <refrain/diffusion/text.hpp>

#include <nlohmann/json.hpp>
#include <string>

#include "golden_vectors.hpp"
#include "small_model.hpp"

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using testing::identical;

// ComfyUI's own results on one thread and on two are up to 3e-6 apart, in units of their standard deviation; another
// order of the sums within the network's convolutions and products makes as much again.
constexpr double kRuns = 1.5e-5;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("sampling_small.safetensors");
  return vectors;
}

Model small_model(std::shared_ptr<const CachePolicy> policy = nullptr) {
  static const std::shared_ptr<const UNet> unet = testing::small_unet();
  Model model;
  model.family = "sd1";
  model.unet = unet;
  model.schedule = std::make_shared<NoiseSchedule>(NoiseSchedule::scaled_linear());
  model.cache_policy = std::move(policy);
  return model;
}

/// "guided/euler/normal" and the like, as a request.
SamplingRequest request(const std::string& sampler, const std::string& scheduler, double denoise = 1,
                        const std::string& latent = "one", std::shared_ptr<const CachePolicy> policy = nullptr) {
  SamplingRequest request;
  request.model = std::make_shared<Model>(small_model(std::move(policy)));
  request.positive = {{golden()["input/positive"], 1.0}};
  request.negative = {{golden()["input/negative"], 1.0}};
  request.cfg = 7.5;
  request.sampler = find_sampler(sampler);
  request.sigmas =
      ksampler_sigmas(*request.model->schedule, sampler, scheduler, std::stoi(golden().note("steps")), denoise);
  request.seed = std::stoull(golden().note("seed"));
  request.latent = golden()["input/" + latent];
  request.noise = make_noise(request.latent.sizes(), request.seed);
  return request;
}

class Samplers : public ::testing::TestWithParam<std::string> {};
// The other samplers are held to ComfyUI's nodes in tests/nodes.
INSTANTIATE_TEST_SUITE_P(Runs, Samplers, ::testing::Values("euler", "euler_ancestral", "heun", "dpmpp_2m", "ddim"),
                         [](const auto& info) { return info.param; });

TEST_P(Samplers, MatchTheReferenceWithEveryScheduler) {
  const std::string sampler = GetParam();
  for (const std::string scheduler : {"karras", "simple"}) {
    const std::string name = "guided/" + sampler + "/" + scheduler;
    EXPECT_LT(difference(sample(request(sampler, scheduler)).latent, golden()[name]), kRuns) << name;
  }
}

TEST_P(Samplers, MatchTheReferenceAtEveryStep) {
  std::vector<at::Tensor> states, answers;
  SamplingRequest run = request(GetParam(), "normal");
  run.on_step = [&](const StepReport& step) {
    EXPECT_EQ(step.step, static_cast<int>(states.size()));
    EXPECT_EQ(step.steps, 10);
    states.push_back(step.x);
    answers.push_back(step.denoised);
  };
  const std::string name = "guided/" + GetParam() + "/normal";
  EXPECT_LT(difference(sample(run).latent, golden()[name]), kRuns);
  EXPECT_LT(difference(at::stack(states), golden()[name + "/x"]), kRuns);
  EXPECT_LT(difference(at::stack(answers), golden()[name + "/denoised"]), kRuns);
}

TEST_P(Samplers, MatchTheReferenceWithoutGuidance) {
  SamplingRequest run = request(GetParam(), "karras");
  run.cfg = 1;
  EXPECT_LT(difference(sample(run).latent, golden()["unguided/" + GetParam() + "/karras"]), kRuns);
}

TEST_P(Samplers, MatchTheReferenceFromAPicture) {
  const SamplingRequest run = request(GetParam(), "normal", 0.6, "picture");
  EXPECT_LT(difference(sample(run).latent, golden()["picture/" + GetParam() + "/normal"]), kRuns);
}

TEST(Runs, MatchTheReferenceForBatchesOddSizesAndOtherGuidance) {
  const auto expect = [](const SamplingRequest& run, const std::string& name) {
    EXPECT_LT(difference(sample(run).latent, golden()[name]), kRuns) << name;
  };
  expect(request("euler", "normal", 1, "two"), "batch/euler/normal");
  expect(request("euler_ancestral", "normal", 1, "two"), "batch/euler_ancestral/normal");
  expect(request("dpmpp_2m", "karras", 1, "odd"), "odd/dpmpp_2m/karras");
  SamplingRequest run = request("euler", "normal");
  run.cfg = 1.5;
  expect(run, "cfg/1.5/euler/normal");
  run.cfg = 0;
  expect(run, "cfg/0/euler/normal");
}

TEST(Runs, MatchTheReferenceForPromptsOfDifferentLengths) {
  SamplingRequest run = request("euler", "normal");
  run.positive = {{golden()["input/long"], 1.0}};
  EXPECT_LT(difference(sample(run).latent, golden()["long_text/euler/normal"]), kRuns);
}

TEST(Runs, MatchTheReferenceWithAUniformCache) {
  for (const int interval : {2, 3}) {
    for (const int depth : {0, 1, 2}) {
      const auto policy = std::make_shared<UniformCache>(interval, depth);
      const std::string name = "uniform/" + std::to_string(interval) + "/" + std::to_string(depth) + "/euler/normal";
      EXPECT_LT(difference(sample(request("euler", "normal", 1, "one", policy)).latent, golden()[name]), kRuns) << name;
    }
  }
  for (const std::string sampler : {"euler", "euler_ancestral", "dpmpp_2m", "ddim"}) {
    const auto policy = std::make_shared<UniformCache>(5, 0);
    const std::string name = "uniform/5/0/" + sampler + "/karras";
    EXPECT_LT(difference(sample(request(sampler, "karras", 1, "two", policy)).latent, golden()[name]), kRuns) << name;
  }
}

/// Three steps: what a policy does is seen by then.
SamplingRequest short_request(std::shared_ptr<const CachePolicy> policy = nullptr) {
  SamplingRequest run = request("euler", "karras", 1, "one", std::move(policy));
  run.sigmas = make_sigmas(*run.model->schedule, "karras", 3);
  return run;
}

TEST(Runs, OfACacheOfIntervalOneEqualThoseWithoutACacheBitForBit) {
  const at::Tensor uncached = sample(short_request()).latent;
  for (int depth = 0; depth < 12; ++depth) {
    EXPECT_TRUE(identical(sample(short_request(std::make_shared<UniformCache>(1, depth))).latent, uncached)) << depth;
  }
}

TEST(Runs, KeepFeaturesWithoutAnyEffectBeforeTheyAreReused) {
  const auto states_of = [](SamplingRequest run) {
    std::vector<at::Tensor> states;
    run.on_step = [&](const StepReport& step) { states.push_back(step.denoised); };
    sample(run);
    return states;
  };
  const auto plain = states_of(short_request());
  for (const int depth : {0, 1, 5, 11}) {
    const auto cached = states_of(short_request(std::make_shared<ListedCache>(std::vector<int>{0, 1}, depth)));
    EXPECT_TRUE(identical(cached[0], plain[0])) << depth;
    EXPECT_TRUE(identical(cached[1], plain[1])) << depth;
    EXPECT_FALSE(identical(cached[2], plain[2])) << depth;
  }
}

TEST(Runs, ReportTheActionsTakenAndWhatTheyCost) {
  const SamplingReport report =
      sample(request("heun", "normal", 1, "two", std::make_shared<UniformCache>(4, 1))).report;
  EXPECT_EQ(report.policy, "uniform, interval 4, depth 1");
  ASSERT_EQ(report.actions.size(), 19U);  // ten steps of two evaluations, the last of one
  const auto unet = small_model().unet;
  const double full = unet->macs(Evaluate::full(), 8, 12, 77).total() * 4;  // two pictures, both halves
  const double deep = unet->macs(Evaluate::deep(1), 8, 12, 77).total() * 4;
  double macs = 0;
  for (const Action& action : report.actions) {
    const bool is_full = action.step % 4 == 0;
    EXPECT_EQ(action.decision.evaluate, is_full ? Evaluate::full() : Evaluate::deep(1)) << action.step;
    EXPECT_FALSE(action.forced);
    EXPECT_EQ(action.macs, is_full ? full : deep);
    EXPECT_GT(action.milliseconds, 0);
    macs += action.macs;
  }
  EXPECT_DOUBLE_EQ(report.macs, macs);
  EXPECT_DOUBLE_EQ(report.macs_uncached, 19 * full);
  EXPECT_GT(report.milliseconds, 0);
}

TEST(Runs, HandTheLatentBackWhereThereIsNothingToDo) {
  SamplingRequest run = request("euler", "normal", 0, "picture");
  ASSERT_EQ(run.sigmas.numel(), 0);
  EXPECT_TRUE(identical(sample(run).latent, run.latent));
}

TEST(Runs, StopWhereTheCallerThrows) {
  SamplingRequest run = request("euler", "normal");
  int steps = 0;
  run.on_step = [&](const StepReport&) {
    if (++steps == 3) throw Interrupted();
  };
  EXPECT_THROW(sample(run), Interrupted);
  EXPECT_EQ(steps, 3);
}

TEST(Runs, RefuseWhatDoesNotFit) {
  const auto code = [](const std::function<void(SamplingRequest&)>& spoil) {
    SamplingRequest run = request("euler", "normal");
    spoil(run);
    try {
      sample(run);
    } catch (const Error& error) {
      return error.code();
    }
    return std::string("no error");
  };
  EXPECT_EQ(code([](auto& run) { run.latent = at::zeros({4, 8, 12}); }), "bad_latent");
  EXPECT_EQ(code([](auto& run) { run.latent = at::zeros({1, 3, 8, 12}), run.noise = run.latent; }), "bad_latent");
  EXPECT_EQ(code([](auto& run) { run.noise = at::zeros({1, 4, 8, 8}); }), "bad_noise");
  EXPECT_EQ(code([](auto& run) { run.noise = at::Tensor(); }), "bad_noise");
  EXPECT_EQ(code([](auto& run) { run.sigmas = at::zeros({2, 2}); }), "bad_sigmas");
  EXPECT_EQ(code([](auto& run) { run.model = nullptr; }), "no_model");
  EXPECT_EQ(
      code([](auto& run) { run.model = std::make_shared<Model>(small_model(std::make_shared<UniformCache>(2, 12))); }),
      "cache_depth");
}

TEST(Prompts, AreEncodedAsTheReferenceDoes) {
  const GoldenVectors vectors("clip_small.safetensors");
  const Clip clip{testing::small_clip(), ClipTokenizer::open(REFRAIN_TEST_VOCABULARY)};
  const auto prompts = nlohmann::json::parse(vectors.note("prompts"));
  ASSERT_EQ(prompts.size(), 6U);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const std::string name = "prompt/" + std::to_string(i);
    const EncodedPrompt encoded = encode_prompt(clip, prompts[i].get<std::string>());
    // Two layers in float32; the reference's sums may run in another order.
    EXPECT_LT(difference(encoded.cross_attention, vectors[name + "/cross_attention"]), 1e-5) << prompts[i];
    EXPECT_LT(difference(encoded.pooled, vectors[name + "/pooled"]), 1e-5) << prompts[i];
  }
}

TEST(Prompts, NeedATextEncoder) { EXPECT_THROW(encode_prompt(Clip{}, "a cat"), ModelError); }

}  // namespace
}  // namespace refrain::diffusion
