#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "golden_vectors.hpp"
#include "samplers/brownian_tree.hpp"

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using testing::identical;

/// The denoiser of the golden vectors: smooth, not linear, bounded where sigma is large (vectors_sampling.py).
at::Tensor curve(const at::Tensor& x, float sigma) {
  const double variance = 1.0 + static_cast<double>(sigma) * sigma;
  return x / variance + static_cast<double>(sigma) * sigma / variance * (3.0 * x / std::sqrt(variance)).sin();
}

at::Tensor formula(const at::Tensor& x, float sigma, Place place) {
  if (place.unconditional != nullptr) *place.unconditional = curve(0.9 * x, sigma);
  return curve(x, sigma);
}

std::vector<float> to_vector(const at::Tensor& sigmas) {
  return {sigmas.const_data_ptr<float>(), sigmas.const_data_ptr<float>() + sigmas.numel()};
}

const GoldenVectors& golden() {
  static const GoldenVectors vectors("sampling_analytic.safetensors");
  return vectors;
}

/// The same float32 operations in the same order, but scalar exp and log may differ by their last bit, 1e-7; noise at
/// the first steps is 15 times as large as the result. lms and deis, besides, have weights that ComfyUI integrates in
/// float32; uni_pc has quotients of 1 - exp(...) near 1.
double rounding(const std::string& sampler) {
  return sampler == "deis" || sampler.starts_with("uni_pc") ? 1.5e-5 : 5e-6;
}

class EverySampler : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Samplers, EverySampler, ::testing::ValuesIn(sampler_names()),
                         [](const auto& info) { return info.param; });

TEST_P(EverySampler, FollowsTheReferenceStepByStep) {
  const std::string name = GetParam();
  const auto runs = golden().names("sigmas/");
  ASSERT_EQ(runs.size(), 6U);
  for (const std::string& run : runs) {
    const std::vector<float> sigmas = to_vector(golden()["sigmas/" + run]);
    const bool whole = run.ends_with("/1.0");
    const float first = sigmas.front();
    const at::Tensor start =
        whole ? golden()["noise"] * std::sqrt(1 + first * first) : golden()["noise"] * first + golden()["latent"];
    std::vector<at::Tensor> answers;
    const SamplerOptions options{std::stoull(golden().note("seed")), [&](const StepReport& step) {
                                   EXPECT_EQ(step.step, static_cast<int>(answers.size()));
                                   EXPECT_LT(step.step, step.steps);
                                   if (!name.starts_with("uni_pc")) {  // evaluates where its predictor ends
                                     EXPECT_LT(difference(step.denoised, curve(step.x, step.sigma)), 1e-4);
                                   }
                                   answers.push_back(step.denoised);
                                 }};
    const at::Tensor result = find_sampler(name)(formula, start, sigmas, options);
    EXPECT_LT(difference(result, golden()[name + "/" + run + "/result"]), rounding(name)) << run;
    if (run == "karras/6/1.0" || run == "simple/4/0.6") {
      const at::Tensor& expected = golden()[name + "/" + run + "/denoised"];
      EXPECT_LT(difference(at::stack(answers), expected), rounding(name)) << run;
    }
  }
}

TEST(BrownianMotion, IsThatOfTheReference) {
  const at::Tensor& steps = golden()["brownian/steps"];
  const std::vector<float> ends{14.614642F, 0.0291672F};
  for (const std::string& seed : golden().names("brownian/")) {
    if (seed == "steps") continue;
    BrownianNoise noise(at::zeros({1, 2, 3, 4}), ends, std::stoull(seed));
    for (std::int64_t i = 0; i < steps.size(0); ++i) {
      const at::Tensor found = noise.between(steps[i][0].item<float>(), steps[i][1].item<float>());
      // Other vector units have other last bits of log, sin and cos.
      EXPECT_LT(difference(found, golden()["brownian/" + seed][i]), 2e-6) << seed << " " << i;
    }
  }
}

TEST(BrownianMotion, DrawsFromTheSeedsOfNumPy) {
  const std::vector<std::vector<std::uint64_t>> keys{{}, {0, 0}, {1, 1}, {5, 3}, {(std::uint64_t{1} << 33U) + 7, 40}};
  for (const std::string& seed : golden().names("seeds/")) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto found = spawned_seeds(std::stoull(seed), keys[i]);
      for (std::int64_t j = 0; j < 4; ++j) {
        EXPECT_EQ(found[j], golden()["seeds/" + seed][static_cast<std::int64_t>(i)][j].item<std::int64_t>()) << seed;
      }
    }
  }
}

TEST(BrownianMotion, AddsUpWhateverTheOrderOfQuestions) {
  BrownianTree one({3}, 0, 10, 5), other({3}, 0, 10, 5);
  const at::Tensor whole = one.increment(1, 7);
  const at::Tensor late = other.increment(3.3, 7), early = other.increment(1, 3.3);
  EXPECT_LT((early + late - whole).abs().max().item<float>(), 1e-5);  // sums of some 40 parts in float32
  EXPECT_EQ(one.increment(2, 2).abs().max().item<float>(), 0);
}

/// For data N(0, 1): D(x; s) = x / (1 + s^2), and the flow's solution is x * sqrt((1 + s'^2) / (1 + s^2)).
at::Tensor gaussian(const at::Tensor& x, float sigma, Place) { return x / (1.0 + static_cast<double>(sigma) * sigma); }

double error_with_steps(const std::string& sampler, int steps) {
  std::vector<float> sigmas;
  for (int i = 0; i <= steps; ++i)
    sigmas.push_back(static_cast<float>(10 * std::pow(0.01, static_cast<double>(i) / steps)));
  const at::Tensor result = find_sampler(sampler)(gaussian, at::ones({1, 1, 1, 1}, at::kDouble), sigmas, {});
  const double first = sigmas.front(), last = sigmas.back();
  return std::abs(result.item<double>() - std::sqrt((1 + last * last) / (1 + first * first)));
}

class Convergence : public ::testing::TestWithParam<std::pair<const char*, double>> {};

TEST_P(Convergence, IsOfTheOrderOfTheMethod) {
  const auto [sampler, order] = GetParam();
  const double measured = std::log2(error_with_steps(sampler, 160) / error_with_steps(sampler, 320));
  EXPECT_NEAR(measured, order, 0.15) << sampler;  // what is left of the next order at this many steps
}

INSTANTIATE_TEST_SUITE_P(Methods, Convergence,
                         ::testing::Values(std::pair("euler", 1.0), std::pair("ddim", 1.0), std::pair("heun", 2.0),
                                           std::pair("dpmpp_2m", 2.0), std::pair("dpm_2", 2.0),
                                           std::pair("res_multistep", 2.0)),
                         [](const auto& info) { return std::string(info.param.first); });

TEST(Samplers, KeepTheVarianceWhereNoiseIsAdded) {
  // Ancestral steps of a Gaussian of variance 1 to sigma 1: the result has variance 1 + 1, whatever the noise.
  std::vector<float> sigmas;
  for (int i = 0; i <= 200; ++i) sigmas.push_back(static_cast<float>(10 * std::pow(0.1, i / 200.0)));
  const at::Tensor start = make_noise({1, 4, 64, 64}, 3) * std::sqrt(101.0);
  const at::Tensor result = find_sampler("euler_ancestral")(gaussian, start, sigmas, {7, {}});
  EXPECT_NEAR(result.var().item<double>(), 2.0, 0.08);  // 16384 draws: 0.022 standard error, and the steps' own error
}

/// "00 01 10": step and stage of each evaluation over the sigmas 8, 4, 2, 1, 0.
std::string places(const std::string& sampler) {
  std::string text;
  const Denoiser denoise = [&](const at::Tensor& x, float sigma, Place place) {
    EXPECT_GT(sigma, 0);
    text += (text.empty() ? "" : " ") + std::to_string(place.step) + std::to_string(place.stage);
    return formula(x, sigma, place);
  };
  find_sampler(sampler)(denoise, at::ones({1, 1, 2, 2}), {8, 4, 2, 1, 0}, {});
  return text;
}

TEST(Samplers, TellTheDenoiserWhereTheyStand) {
  for (const char* sampler :
       {"euler", "euler_cfg_pp", "euler_ancestral", "lms", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde", "ddpm", "lcm",
        "ipndm", "ipndm_v", "deis", "res_multistep", "ddim", "uni_pc", "uni_pc_bh2"}) {
    EXPECT_EQ(places(sampler), "00 10 20 30") << sampler;
  }
  for (const char* sampler : {"heun", "dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde"}) {
    EXPECT_EQ(places(sampler), "00 01 10 11 20 21 30") << sampler;
  }
  EXPECT_EQ(places("heunpp2"), "00 01 02 10 11 12 20 21 30");
  EXPECT_EQ(places("dpm_fast"), "00 01 02 10");  // four evaluations: a step of order 3 and one of order 1
  EXPECT_EQ(places("dpm_adaptive").substr(0, 12), "00 01 02 10 ");
}

TEST(Samplers, EndWithTheDenoisedLatentAtSigmaZero) {
  const at::Tensor x = make_noise({2, 4, 3, 5}, 1) * 2;
  for (const std::string& name : sampler_names()) {
    // These never get to 0: one sigma leaves them no way to go, and uni_pc does nothing in a single step.
    if (name.starts_with("dpm_fast") || name.starts_with("dpm_adaptive") || name.starts_with("uni_pc")) continue;
    const Denoiser denoise = [](const at::Tensor& from, float sigma, Place place) {
      if (place.unconditional != nullptr) *place.unconditional = gaussian(0.5 * from, sigma, {});
      return gaussian(from, sigma, {});
    };
    const at::Tensor result = find_sampler(name)(denoise, x, {2, 0}, {});
    EXPECT_LT(difference(result, gaussian(x, 2, {})), 3e-6) << name;  // x + (x - D) / s * (0 - s) rounds
  }
}

TEST(Samplers, ReturnTheLatentWhereThereIsNoStep) {
  const at::Tensor x = make_noise({1, 4, 2, 2}, 1);
  for (const std::string& name : sampler_names()) {
    EXPECT_TRUE(identical(find_sampler(name)(formula, x, {3}, {}), x)) << name;
    EXPECT_TRUE(identical(find_sampler(name)(formula, x, {}, {}), x)) << name;
  }
}

TEST(Samplers, LeaveTheirInputAsItWas) {
  const at::Tensor x = make_noise({1, 4, 4, 4}, 1), before = x.clone();
  for (const std::string& name : sampler_names()) {
    find_sampler(name)(formula, x, {3, 2, 1, 0}, {});
    EXPECT_TRUE(identical(x, before)) << name;
  }
}

TEST(Samplers, StopWhereTheCallerThrows) {
  for (const std::string& name : sampler_names()) {
    int steps = 0;
    const SamplerOptions options{0, [&](const StepReport&) {
                                   if (++steps == 2) throw Interrupted();
                                 }};
    EXPECT_THROW(find_sampler(name)(formula, at::ones({1, 1, 2, 2}), {4, 3, 2, 1, 0}, options), Interrupted);
    EXPECT_EQ(steps, 2) << name;
  }
}

TEST(Samplers, AreListedByTheErrorForAnUnknownOne) {
  try {
    find_sampler("eulr");
    FAIL() << "there is no such sampler";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "unknown_sampler");
    EXPECT_STREQ(error.what(),
                 "there is no sampler \"eulr\"; there are: euler, euler_cfg_pp, euler_ancestral, heun, heunpp2, dpm_2, "
                 "dpm_2_ancestral, lms, dpm_fast, dpm_adaptive, dpmpp_2s_ancestral, dpmpp_sde, dpmpp_2m, dpmpp_2m_sde, "
                 "dpmpp_3m_sde, ddpm, lcm, ipndm, ipndm_v, deis, res_multistep, ddim, uni_pc, uni_pc_bh2");
  }
}

TEST(Noise, HasThePublishedNumbers) {
  const auto starts_with = [](const at::Tensor& noise, const std::vector<double>& published) {
    for (std::size_t i = 0; i < published.size(); ++i) {
      EXPECT_NEAR(noise.flatten()[static_cast<std::int64_t>(i)].item<double>(), published[i], 6e-5) << i;  // 4 digits
    }
  };
  starts_with(make_noise({1, 1, 4, 4}, 0), {-1.1258, -1.1524, -0.2506, -0.4339, 0.8487, 0.6920, -0.3160, -2.1152,
                                            0.3223, -1.2633, 0.3500, 0.3081, 0.1198, 1.2377, 1.1168, -0.2473});
  starts_with(make_noise({1, 1, 1, 7}, 0), {1.5410, -0.2934, -2.1788, 0.5684});
  starts_with(make_noise({1, 4, 64, 64}, 42), {1.9269, 1.4873, 0.9007, -2.1055});
}

TEST(Noise, IsTheReferencesForEverySeedAndShape) {
  const GoldenVectors golden("noise.safetensors");
  const auto names = golden.names("noise/");
  ASSERT_EQ(names.size(), 25U);
  for (const std::string& name : names) {
    const at::Tensor& expected = golden["noise/" + name];
    const std::uint64_t seed = std::stoull(name.substr(name.find('/') + 1));
    // Other vector units have other last bits of log, sin and cos.
    EXPECT_LT(difference(make_noise(expected.sizes(), seed), expected), 2e-6) << name;
  }
}

TEST(Noise, IsPickedByBatchIndex) {
  const GoldenVectors golden("noise.safetensors");
  const auto cases = nlohmann::json::parse(golden.note("picked"));
  ASSERT_EQ(cases.size(), 4U);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const auto shape = cases[i].at("shape").get<std::vector<std::int64_t>>();
    const at::Tensor noise =
        make_noise(shape, cases[i].at("seed"), cases[i].at("batch_index").get<std::vector<std::int64_t>>());
    EXPECT_LT(difference(noise, golden["picked/" + std::to_string(i)]), 2e-6) << i;
  }
}

TEST(Noise, RefusesABatchIndexThatCantBe) {
  EXPECT_THROW(make_noise({2, 4, 8, 8}, 0, {{0}}), ShapeError);
  EXPECT_THROW(make_noise({1, 4, 8, 8}, 0, {{-1}}), ShapeError);
  EXPECT_THROW(make_noise({1, 4, 8, 8}, 0, {{std::int64_t{1} << 60}}), ShapeError);
}

}  // namespace
}  // namespace refrain::diffusion
