// Whole runs with the small U-Net under a cache policy: the decisions and latents of ComfyUI's EasyCache and LazyCache
// and of the community's DeepCache node (tests/reference/vectors_caching.py), and what must hold for every policy.

#include <ATen/TensorOperators.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/adaptive_policies.hpp>
#include <refrain/diffusion/composed_policies.hpp>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "counting_allocator.hpp"
#include "golden_vectors.hpp"
#include "scripted_policy.hpp"
#include "small_model.hpp"

namespace refrain::diffusion {
namespace {

using namespace testing;
using nlohmann::json;
using Target = Estimate::Target;

// A run's latent is up to 6e-6 from itself on another number of threads in ComfyUI; what is reused carries such a
// difference on.
constexpr double kTolerance = 3e-5;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("caching_small.safetensors");
  return vectors;
}

std::shared_ptr<const UNet> shared_unet() {
  static const std::shared_ptr<const UNet> unet = small_unet();
  return unet;
}

SamplingRequest request(const json& settings, std::shared_ptr<const CachePolicy> policy) {
  Model model;
  model.family = "sd1";
  model.unet = shared_unet();
  model.schedule = std::make_shared<NoiseSchedule>(NoiseSchedule::scaled_linear());
  model.cache_policy = std::move(policy);
  SamplingRequest request;
  request.model = std::make_shared<Model>(std::move(model));
  request.positive = {{golden()["input/positive"], 1.0}};
  request.negative = {{golden()["input/negative"], 1.0}};
  request.cfg = settings.at("cfg");
  const std::string sampler = settings.at("sampler");
  request.sampler = find_sampler(sampler);
  request.sigmas = ksampler_sigmas(*request.model->schedule, sampler, settings.at("scheduler"),
                                   settings.value("steps", std::stoi(golden().note("steps"))), settings.at("denoise"));
  request.seed = std::stoull(golden().note("seed"));
  request.latent = golden()["input/" + settings.at("latent").get<std::string>()];
  request.noise = make_noise(request.latent.sizes(), request.seed);
  return request;
}

json plain_settings() {
  return {{"cfg", 7.5},     {"sampler", "euler"}, {"scheduler", "normal"},
          {"denoise", 1.0}, {"latent", "one"},    {"steps", 9}};
}

std::shared_ptr<const CachePolicy> policy_of(const json& run) {
  const json& inputs = run.at("inputs");
  if (run.at("node") == "DeepCache") {
    return std::make_shared<WindowedDeepCache>(inputs.at("cache_interval"), inputs.at("cache_depth"),
                                               inputs.at("start_step"), inputs.at("end_step"));
  }
  const StepCacheWindow window{inputs.at("reuse_threshold"), inputs.at("start_percent"), inputs.at("end_percent")};
  if (run.at("node") == "EasyCache") return std::make_shared<EasyCache>(window);
  return std::make_shared<LazyCache>(window);
}

/// F whole, d in part, . nothing, as the reference's are written.
std::string letters(const SamplingReport& report) {
  std::string text;
  for (const Action& action : report.actions) {
    const Evaluate::Kind kind = action.decision.evaluate.kind;
    text += kind == Evaluate::Kind::full ? 'F' : kind == Evaluate::Kind::nothing ? '.' : 'd';
    EXPECT_EQ(action.guard, Guard::none);
  }
  return text;
}

class RecordedRuns : public ::testing::TestWithParam<std::string> {};

TEST_P(RecordedRuns, HaveTheDecisionsAndTheLatentOfTheOriginal) {
  int compared = 0;
  for (const json& run : json::parse(golden().note("runs"))) {
    if (run.at("node") != GetParam()) continue;
    const SamplingResult result = sample(request(run, policy_of(run)));
    EXPECT_EQ(letters(result.report), run.at("actions")) << run;
    EXPECT_LT(difference(result.latent, golden()[run.at("result").get<std::string>()]), kTolerance) << run;
    ++compared;
  }
  EXPECT_GT(compared, 10);
}

INSTANTIATE_TEST_SUITE_P(Of, RecordedRuns, ::testing::Values("EasyCache", "LazyCache", "DeepCache"),
                         [](const auto& info) { return info.param; });

std::vector<std::shared_ptr<const CachePolicy>> some_of_every_policy() {
  const auto uniform = std::make_shared<UniformCache>(3, 1);
  return {uniform,
          std::make_shared<ListedCache>(std::vector<int>{0, 4}, 0),
          std::make_shared<NonUniformCache>(3, 2, 2, 1.4, CenteredForm::reference),
          std::make_shared<TaylorCache>(4, 0, 2, Forecast{2, Forecast::Variable::log_snr, Forecast::Form::newton}),
          std::make_shared<EncoderPropagation>(std::vector<int>{2, 6}),
          std::make_shared<EasyCache>(StepCacheWindow{3.0, 0.0, 1.0}),
          std::make_shared<LazyCache>(StepCacheWindow{3.0, 0.0, 1.0}),
          std::make_shared<PublishedEasyCache>(3.0, 2, Target::denoised),
          std::make_shared<PublishedEasyCache>(3.0, 2, Target::prediction),
          std::make_shared<PhaseCache>(uniform, 0.2, 0.8),
          std::make_shared<ChainCache>(uniform, std::make_shared<EasyCache>(StepCacheWindow{})),
          std::make_shared<WindowedDeepCache>(3, 1, 100, 900)};
}

TEST(EveryPolicy, ReusesAndGivesTheSamePictureAgain) {
  const at::Tensor plain = sample(request(plain_settings(), nullptr)).latent;
  for (const auto& policy : some_of_every_policy()) {
    const SamplingResult first = sample(request(plain_settings(), policy));
    EXPECT_LT(first.report.macs, first.report.macs_uncached) << policy->describe();
    EXPECT_GT(first.report.peak_kept_bytes, 0) << policy->describe();
    EXPECT_FALSE(identical(first.latent, plain)) << policy->describe();
    EXPECT_LT(difference(first.latent, plain), 10.0) << policy->describe();
    EXPECT_TRUE(identical(sample(request(plain_settings(), policy)).latent, first.latent)) << policy->describe();
  }
}

// One policy object, runs of other sizes, strengths and samplers between two equal ones, and a run stopped half way.
TEST(EveryPolicy, LeaksNothingIntoTheNextRun) {
  json other = plain_settings();
  other.update({{"latent", "two"}, {"sampler", "heun"}});
  json picture = plain_settings();
  picture.update({{"latent", "picture"}, {"denoise", 0.5}});
  for (const auto& policy : some_of_every_policy()) {
    const at::Tensor first = sample(request(picture, policy)).latent;
    SamplingRequest stopped = request(plain_settings(), policy);
    stopped.sigmas = stopped.sigmas.narrow(0, 0, 6);
    stopped.on_step = [](const StepReport& step) {
      if (step.step == 3) throw std::runtime_error("stopped");
    };
    EXPECT_THROW(sample(stopped), std::runtime_error);
    SamplingRequest short_run = request(other, policy);
    short_run.sigmas = short_run.sigmas.narrow(0, 0, 4);
    sample(short_run);
    EXPECT_TRUE(identical(sample(request(picture, policy)).latent, first)) << policy->describe();
  }
}

TEST(EveryPolicy, KeepsTwoSamplersApartThatShareAModelAndRunInTurns) {
  for (const auto& policy : some_of_every_policy()) {
    SamplingRequest outer = request(plain_settings(), policy);
    outer.sigmas = outer.sigmas.narrow(0, 0, 7);
    const at::Tensor alone = sample(outer).latent;
    SamplingRequest inner = outer;
    inner.noise = make_noise(inner.latent.sizes(), 99);
    inner.sigmas = inner.sigmas.narrow(0, 0, 3);
    outer.on_step = [&](const StepReport& step) {
      if (step.step % 3 == 1) sample(inner);
    };
    EXPECT_TRUE(identical(sample(outer).latent, alone)) << policy->describe();
  }
}

TEST(EveryPolicy, KeepsTwoSamplersApartThatShareAModelAndRunAtTheSameTime) {
  for (const auto& policy : some_of_every_policy()) {
    SamplingRequest one = request(plain_settings(), policy);
    one.sigmas = one.sigmas.narrow(0, 0, 6);
    SamplingRequest two = one;
    two.noise = make_noise(two.latent.sizes(), 99);
    two.sampler = find_sampler("heun");
    const at::Tensor one_alone = sample(one).latent, two_alone = sample(two).latent;
    at::Tensor beside;
    std::thread other([&] { beside = sample(two).latent; });
    const at::Tensor first = sample(one).latent;
    other.join();
    EXPECT_TRUE(identical(first, one_alone)) << policy->describe();
    EXPECT_TRUE(identical(beside, two_alone)) << policy->describe();
  }
}

TEST(EveryPolicy, OfScheduleThatReusesNothingIsBitEqualToNoCache) {
  const at::Tensor plain = sample(request(plain_settings(), nullptr)).latent;
  for (const auto& policy : std::vector<std::shared_ptr<const CachePolicy>>{
           std::make_shared<NonUniformCache>(1, 3, 5, 1.4, CenteredForm::reference),
           std::make_shared<TaylorCache>(1, 0, 1, Forecast{2}), std::make_shared<EasyCache>(StepCacheWindow{0.0}),
           std::make_shared<LazyCache>(StepCacheWindow{0.0}), std::make_shared<WindowedDeepCache>(1, 12, 0, 1000),
           std::make_shared<PhaseCache>(std::make_shared<UniformCache>(5, 0), 0.5, 0.5)}) {
    EXPECT_TRUE(identical(sample(request(plain_settings(), policy)).latent, plain)) << policy->describe();
  }
}

// Declared bytes against what libtorch's allocator has out between two evaluations of a real network.
TEST(KeptBytesOfARun, AreExactlyTheDeclaredTensors) {
  const CountingAllocator count;
  const std::int64_t h = 16, w = 24, halves = 2, float32 = 4;
  const int channels = shared_unet()->config().model_channels;
  const UNetInput x{golden()["input/one"].repeat({2, 1, 1, 1}) + 1.0, at::full({2}, 500.0),
                    golden()["input/positive"].repeat({2, 1, 1})};
  shared_unet()->evaluate(x);  // weights are packed at their first use
  const auto kept_by = [&](const std::shared_ptr<const CachePolicy>& policy) {
    CachedDenoiser denoiser(make_network(shared_unet()), policy, sigmas(4));
    const std::int64_t before = count.bytes();
    for (int step = 0; step < 3; ++step) denoiser.evaluate({&x, 1}, 1, {step, 0});
    EXPECT_EQ(count.bytes() - before, denoiser.report().peak_kept_bytes);
    return count.bytes() - before;
  };
  EXPECT_EQ(kept_by(nullptr), 0);
  EXPECT_EQ(kept_by(std::make_shared<UniformCache>(2, 0)), halves * channels * h * w * float32);
  EXPECT_GT(kept_by(std::make_shared<EncoderPropagation>(std::vector<int>{0})), 12 * halves * channels);
}

}  // namespace
}  // namespace refrain::diffusion
