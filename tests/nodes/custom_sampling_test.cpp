// The sampling nodes on the small checkpoint. What they should give was computed by ComfyUI 0.3.64
// (tests/reference/vectors_samplers.py).

#include <refrain/diffusion/model.hpp>
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
using diffusion::testing::identical;

// Of the standard deviation: what the acceptance allows.
constexpr double kTolerance = 1e-4;

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("samplers_small.safetensors");
  return vectors;
}

Value number(double x) { return value<double>(x); }
Value latent(const at::Tensor& samples) { return value(Latent{samples, {}, {}}); }
Value empty(std::int64_t channels = 4) { return latent(at::zeros({1, channels, 8, 6})); }
Value picture() { return latent(golden()["input/latent"]); }
Value seed() { return value<std::uint64_t>(std::stoull(golden().note("seed"))); }
Value steps() { return integer(std::stoll(golden().note("steps"))); }

const Value& model() {
  static const Value loaded = NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}})[0];
  return loaded;
}

Value prompt(const char* name) { return value(Conditioning{{{golden()[std::string("input/") + name], {}, {}}}}); }

/// What all nodes with two prompts take.
NodeRunner::Inputs prompts(double cfg) {
  return {{"model", model()}, {"cfg", number(cfg)}, {"positive", prompt("positive")}, {"negative", prompt("negative")}};
}

NodeRunner::Inputs with(NodeRunner::Inputs first, const NodeRunner::Inputs& second) {
  for (const auto& [name, given] : second) first.insert_or_assign(name, given);
  return first;
}

const at::Tensor& samples(const Value& given) { return given.as<Latent>().samples; }
const at::Tensor& sigmas(const Value& given) { return given.as<Sigmas>().values; }

struct SamplerRun {
  std::string sampler;
  std::string scheduler;
  friend std::ostream& operator<<(std::ostream& out, const SamplerRun& run) {
    return out << run.sampler << " on " << run.scheduler;
  }
};

std::vector<SamplerRun> sampler_runs() {
  std::vector<SamplerRun> runs;
  for (const std::string& name : golden().names("k_sampler/")) {
    runs.push_back({name.substr(0, name.find('/')), name.substr(name.find('/') + 1)});
  }
  return runs;
}

class EverySampler : public ::testing::TestWithParam<SamplerRun> {};
INSTANTIATE_TEST_SUITE_P(KSampler, EverySampler, ::testing::ValuesIn(sampler_runs()),
                         [](const auto& test) { return test.param.sampler; });

TEST_P(EverySampler, GivesComfyUIsLatents) {
  const auto [sampler, scheduler] = GetParam();
  const auto out = NodeRunner().run("KSampler", with(prompts(5.5), {{"seed", seed()},
                                                                    {"steps", steps()},
                                                                    {"sampler_name", text(sampler)},
                                                                    {"scheduler", text(scheduler)},
                                                                    {"latent_image", empty()}}));
  // On this scheduler's jump from tiny to large steps the coefficients of lms reach 11,000, and with them the rounding
  // of the network's answers, 1e-7 of them.
  const double allowed = sampler == "lms" && scheduler == "linear_quadratic" ? 20 * kTolerance : kTolerance;
  EXPECT_LT(difference(samples(out[0]), golden()["k_sampler/" + sampler + "/" + scheduler]), allowed);
}

TEST(KSampler, NeedsTheNegativePromptForCfgPlusPlusOnly) {
  for (const char* sampler : {"euler_cfg_pp", "uni_pc"}) {
    const auto out = NodeRunner().run("KSampler", with(prompts(1.0), {{"seed", seed()},
                                                                      {"steps", steps()},
                                                                      {"sampler_name", text(sampler)},
                                                                      {"scheduler", text("normal")},
                                                                      {"denoise", number(0.7)},
                                                                      {"latent_image", picture()}}));
    EXPECT_LT(difference(samples(out[0]), golden()[std::string("unguided/") + sampler + "/normal"]), kTolerance);
  }
}

/// KSamplerAdvanced over a part of the steps.
Value advanced(const char* sampler, const char* scheduler, bool noise, const Value& start, int from, int to,
               bool leftover) {
  const auto out = NodeRunner().run(
      "KSamplerAdvanced", with(prompts(5.5), {{"add_noise", text(noise ? "enable" : "disable")},
                                              {"noise_seed", seed()},
                                              {"steps", steps()},
                                              {"sampler_name", text(sampler)},
                                              {"scheduler", text(scheduler)},
                                              {"latent_image", start},
                                              {"start_at_step", integer(from)},
                                              {"end_at_step", integer(to)},
                                              {"return_with_leftover_noise", text(leftover ? "enable" : "disable")}}));
  return out[0];
}

TEST(KSamplerAdvanced, SharesARunAsComfyUIDoes) {
  for (const auto& [sampler, scheduler] :
       {SamplerRun{"euler", "normal"}, SamplerRun{"dpmpp_2m", "karras"}, SamplerRun{"dpm_2", "karras"}}) {
    const std::string name = "advanced/" + sampler;
    const Value first = advanced(sampler.c_str(), scheduler.c_str(), true, empty(), 0, 4, true);
    EXPECT_LT(difference(samples(first), golden()[name + "/0-4/leftover"]), kTolerance) << name;
    const Value second = advanced(sampler.c_str(), scheduler.c_str(), false, first, 4, 10000, false);
    EXPECT_LT(difference(samples(second), golden()[name + "/4-end"]), kTolerance) << name;
  }
}

TEST(KSamplerAdvanced, RemovesAllNoiseWithItsLastStepUnlessTold) {
  const Value out = advanced("euler", "normal", true, picture(), 2, 5, false);
  EXPECT_LT(difference(samples(out), golden()["advanced/euler/2-5/forced"]), kTolerance);
}

TEST(KSamplerAdvanced, GivesTheLatentBackWhereThereIsNoStep) {
  EXPECT_TRUE(
      identical(samples(advanced("euler", "normal", true, picture(), 6, 10000, false)), golden()["input/latent"]));
  EXPECT_TRUE(identical(samples(advanced("euler", "normal", true, picture(), 0, 0, false)), golden()["input/latent"]));
}

Value sampler(const char* name) { return NodeRunner().run("KSamplerSelect", {{"sampler_name", text(name)}})[0]; }

Value basic_sigmas(const char* scheduler, double denoise = 1.0) {
  return NodeRunner().run(
      "BasicScheduler",
      {{"model", model()}, {"scheduler", text(scheduler)}, {"steps", steps()}, {"denoise", number(denoise)}})[0];
}

Value guider(double cfg) { return NodeRunner().run("CFGGuider", prompts(cfg))[0]; }
Value basic_guider() {
  return NodeRunner().run("BasicGuider", {{"model", model()}, {"conditioning", prompt("positive")}})[0];
}
Value noise() { return NodeRunner().run("RandomNoise", {{"noise_seed", seed()}})[0]; }
Value no_noise() { return NodeRunner().run("DisableNoise", {})[0]; }

void expect_outputs(const std::vector<Value>& out, const std::string& name) {
  EXPECT_LT(difference(samples(out[0]), golden()[name]), kTolerance) << name;
  EXPECT_LT(difference(samples(out[1]), golden()[name + "/denoised"]), kTolerance) << name;
}

std::vector<Value> custom(const Value& noise, const Value& guider, const char* solver, const Value& levels,
                          const Value& start) {
  return NodeRunner().run("SamplerCustomAdvanced", {{"noise", noise},
                                                    {"guider", guider},
                                                    {"sampler", sampler(solver)},
                                                    {"sigmas", levels},
                                                    {"latent_image", start}});
}

TEST(SamplerCustom, GivesComfyUIsLatentsAndTheLastEstimate) {
  const Value high = NodeRunner().run("SplitSigmas", {{"sigmas", basic_sigmas("normal")}, {"step", integer(4)}})[0];
  expect_outputs(
      NodeRunner().run(
          "SamplerCustom",
          with(prompts(5.5),
               {{"noise_seed", seed()}, {"sampler", sampler("euler")}, {"sigmas", high}, {"latent_image", empty()}})),
      "custom/high");
}

TEST(SamplerCustomAdvanced, GivesComfyUIsLatentsAndTheLastEstimate) {
  const auto parts = NodeRunner().run("SplitSigmas", {{"sigmas", basic_sigmas("normal")}, {"step", integer(4)}});
  expect_outputs(custom(no_noise(), guider(3), "dpmpp_2m", parts[1], picture()), "custom/low");
  expect_outputs(custom(noise(), basic_guider(), "lcm", basic_sigmas("sgm_uniform", 0.8), picture()), "custom/basic");
}

TEST(SamplerCustomAdvanced, GoesFromAPictureToItsNoise) {
  const Value flipped = NodeRunner().run("FlipSigmas", {{"sigmas", basic_sigmas("karras", 0.6)}})[0];
  EXPECT_LT(difference(sigmas(flipped), golden()["sigmas/flipped"]), 1e-6);  // one rounding of exp
  expect_outputs(custom(no_noise(), guider(3), "euler", flipped, picture()), "custom/flipped");
}

TEST(SamplerCustomAdvanced, OnlyAddsNoiseWhereThereIsOneSigma) {
  const Value one = NodeRunner().run("SplitSigmas", {{"sigmas", basic_sigmas("normal")}, {"step", integer(0)}})[0];
  expect_outputs(custom(noise(), guider(3), "euler", one, picture()), "custom/one_sigma");
}

TEST(SamplerCustomAdvanced, TakesAnEmptyLatentOfAnyNumberOfChannels) {
  expect_outputs(custom(noise(), basic_guider(), "euler", basic_sigmas("karras"), empty(16)), "custom/channels");
}

TEST(Schedulers, GiveComfyUIsSigmas) {
  const auto between = [](const char* node, NodeRunner::Inputs more) {
    return NodeRunner().run(
        node, with(std::move(more), {{"steps", steps()}, {"sigma_max", number(10)}, {"sigma_min", number(0.5)}}))[0];
  };
  constexpr double kRounding = 1e-6;  // of exp and pow
  EXPECT_LT(difference(sigmas(between("KarrasScheduler", {{"rho", number(3)}})), golden()["sigmas/karras"]), kRounding);
  EXPECT_LT(difference(sigmas(between("ExponentialScheduler", {})), golden()["sigmas/exponential"]), kRounding);
  EXPECT_LT(difference(sigmas(basic_sigmas("beta", 0.45)), golden()["sigmas/basic/beta/0.45"]), kRounding);
  EXPECT_EQ(sigmas(basic_sigmas("normal", 0)).numel(), 0);
}

TEST(SplitSigmas, SharesTheSigmaWhereItCuts) {
  const Value whole = basic_sigmas("normal");
  const auto cut = [&](int step) {
    return NodeRunner().run("SplitSigmas", {{"sigmas", whole}, {"step", integer(step)}});
  };
  EXPECT_TRUE(identical(sigmas(cut(2)[0]), sigmas(whole).narrow(0, 0, 3)));
  EXPECT_TRUE(identical(sigmas(cut(2)[1]), sigmas(whole).narrow(0, 2, 5)));
  EXPECT_TRUE(identical(sigmas(cut(100)[0]), sigmas(whole)));
  EXPECT_EQ(sigmas(cut(100)[1]).numel(), 0);
}

TEST(FlipSigmas, LeavesWhatComesInAsItIs) {
  const Value whole = basic_sigmas("normal");
  const at::Tensor before = sigmas(whole).clone();
  NodeRunner().run("FlipSigmas", {{"sigmas", whole}});
  EXPECT_TRUE(identical(sigmas(whole), before));
}

}  // namespace
}  // namespace refrain::testing
