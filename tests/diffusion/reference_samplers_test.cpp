// The references' samplers and time steps, alone, against the originals' own code around a prediction in closed form.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/reference_sampling.hpp>

#include <cmath>
#include <string>
#include <vector>

#include "golden_vectors.hpp"

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using testing::identical;
using Method = ReferenceSampler::Method;
using Variance = ReferenceSampler::Variance;

// The arithmetic is the originals', operation by operation; what is left is the way through the denoiser, which gives
// x0 in place of the prediction: a few roundings of float32 at each of ten steps. A wrong a' moves states by 1e-2.
constexpr double kRun = 1e-5;
// Where estimates of the picture are clipped, states stay small while 1 / sqrt(a) is 157 at first: a rounding of the
// prediction is that much of the estimate, at every early step again.
constexpr double kClippedRun = 5e-4;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("reference_samplers.safetensors");
  return vectors;
}

NoiseLaw law_of(const std::string& family) {
  if (family == "ddpm") return {NoiseLaw::Spacing::linear, 1e-4, 0.02, 1000};
  return family == "sd1" ? NoiseLaw{} : NoiseLaw{NoiseLaw::Spacing::scaled_linear, 0.0015, 0.0195, 1000};
}

std::shared_ptr<const NoiseSchedule> schedule_of(const NoiseLaw& law) {
  return std::make_shared<const NoiseSchedule>(law.spacing == NoiseLaw::Spacing::linear
                                                   ? NoiseSchedule::linear(law.first, law.last, law.steps)
                                                   : NoiseSchedule::scaled_linear(law.first, law.last, law.steps));
}

ReferenceSampler sampler(Method method, Convention convention, const std::string& family, double eta = 0) {
  ReferenceSampler made;
  made.method = method;
  made.convention = convention;
  made.eta = eta;
  made.law = law_of(family);
  made.schedule = schedule_of(made.law);
  return made;
}

/// The generators' stand-in for a network.
at::Tensor prediction(const at::Tensor& x, float t) {
  return (x * 2 + at::full({1, 1, 1, 1}, t) / 200).sin() * 0.6 + x * 0.2;
}

/// A run from the noise of the generators' seed: the states, x_T first and the result last.
at::Tensor states_of(const ReferenceSampler& sampler, const at::Tensor& sigmas) {
  const Denoiser denoise = [&](const at::Tensor& x, float sigma, Place) {
    return x - prediction(x / std::sqrt(sigma * sigma + 1), sampler.schedule->timestep(sigma)) * sigma;
  };
  const std::uint64_t seed = std::stoull(golden().note("seed"));
  SamplerOptions options;
  options.noise_seed = seed;
  options.noise = make_noise({2, 3, 4, 5}, seed);
  options.latent = at::zeros({2, 3, 4, 5});
  std::vector<at::Tensor> states;
  options.on_step = [&](const StepReport& step) { states.push_back(step.x); };
  const float* first = sigmas.const_data_ptr<float>();
  const at::Tensor x = options.noise * first[0];
  states.push_back(sampler(denoise, x, {first, first + sigmas.numel()}, options));
  return at::stack(states);
}

at::Tensor sigmas_of(const ReferenceSampler& sampler, const std::string& rule, int steps, FinalAlpha final,
                     int offset = 0) {
  return reference_sigmas(*sampler.schedule, reference_timesteps(rule, steps, 1000, offset), final);
}

void expect_states(const ReferenceSampler& sampler, const at::Tensor& sigmas, const std::string& name,
                   double tolerance = kRun) {
  const at::Tensor states = states_of(sampler, sigmas);
  ASSERT_EQ(states.sizes(), golden()[name].sizes()) << name;
  for (std::int64_t i = 0; i < states.size(0); ++i) {
    EXPECT_LT(difference(states[i], golden()[name][i]), tolerance) << name << ", after " << i << " steps";
  }
}

TEST(ReferenceAlphas, EqualTheOriginalsToTheBit) {
  EXPECT_TRUE(identical(reference_alphas(law_of("ldm4g"), Convention::ldm), golden()["alphas/ldm/ldm4g"]));
  EXPECT_TRUE(identical(reference_alphas(law_of("sd1"), Convention::ldm), golden()["alphas/ldm/sd1"]));
  EXPECT_TRUE(identical(reference_alphas(law_of("ddpm"), Convention::ermongroup), golden()["alphas/ermongroup"]));
  EXPECT_TRUE(identical(reference_alphas(law_of("sd1"), Convention::diffusers), golden()["alphas/diffusers/sd1"]));
  EXPECT_TRUE(identical(reference_alphas(law_of("ddpm"), Convention::diffusers), golden()["alphas/diffusers/ddpm"]));
  // They do differ, in the last digits.
  EXPECT_FALSE(identical(golden()["alphas/ldm/sd1"], golden()["alphas/diffusers/sd1"]));
}

TEST(ReferenceTimesteps, EqualTheOriginalsForEveryRuleAndNumberOfSteps) {
  int lists = 0;
  for (const std::string& rule : timestep_rules()) {
    for (const std::string& steps : golden().names("timesteps/" + rule + "/")) {
      const int offset = rule == "diffusers leading" ? 1 : 0;
      const at::Tensor expected = golden()["timesteps/" + rule + "/" + steps];
      const std::vector<int> chosen = reference_timesteps(rule, std::stoi(steps), 1000, offset);
      EXPECT_TRUE(identical(at::tensor(std::vector<std::int64_t>(chosen.begin(), chosen.end()), at::kLong), expected))
          << rule << ", " << steps << " steps";
      ++lists;
    }
  }
  EXPECT_GE(lists, 7 * 7);
}

TEST(ReferenceTimesteps, KeepTheOriginalsTraps) {
  EXPECT_EQ(reference_timesteps("ldm uniform", 30, 1000).size(), 31U);
  EXPECT_EQ(reference_timesteps("ldm uniform", 50, 1000).front(), 981);
  EXPECT_EQ(reference_timesteps("ldm uniform", 50, 1000).back(), 1);
  const std::vector<int> quad = reference_timesteps("ermongroup quad", 100, 1000);
  EXPECT_EQ(std::vector<int>(quad.end() - 5, quad.end()), (std::vector<int>{1, 0, 0, 0, 0}));
}

TEST(ReferenceTimesteps, RefuseWhatTheOriginalsFailAt) {
  const auto refused = [](const std::string& rule, int steps) {
    try {
      reference_timesteps(rule, steps, 1000);
    } catch (const Error& error) {
      return error.code() + ": " + error.what();
    }
    return std::string();
  };
  EXPECT_THAT(refused("ldm uniform", 1000), ::testing::HasSubstr("training step 1000"));
  EXPECT_THAT(refused("ldm uniform", 3), ::testing::HasSubstr("training step 1000"));
  EXPECT_THAT(refused("ldm uniform", 0), ::testing::HasSubstr("bad_timesteps"));
  EXPECT_THAT(refused("ldm uniform", 1001), ::testing::HasSubstr("bad_timesteps"));
  EXPECT_THAT(refused("nobody's", 10), ::testing::HasSubstr("ermongroup quad"));
}

TEST(ReferenceDdim, FollowsCompVisStepByStep) {
  for (const std::string family : {"ldm4g", "sd1"}) {
    const auto expect = [&](const std::string& kind, int steps, double eta, const std::string& suffix) {
      const ReferenceSampler ddim = sampler(Method::ddim, Convention::ldm, family, eta);
      const at::Tensor sigmas = sigmas_of(ddim, "ldm " + kind, steps, FinalAlpha::first);
      expect_states(ddim, sigmas, "ldm/" + family + "/ddim/" + kind + suffix);
    };
    expect("uniform", 10, 0, "/10/0");
    expect("uniform", 10, 1, "/10/1");
    expect("uniform", 7, 0.5, "/7/0.5");
    expect("quad", 10, 0, "/10/0");
  }
}

TEST(ReferencePlms, FollowsCompVisStepByStep) {
  for (const std::string family : {"ldm4g", "sd1"}) {
    for (const int steps : {10, 7, 2}) {
      const ReferenceSampler plms = sampler(Method::plms, Convention::ldm, family);
      expect_states(plms, sigmas_of(plms, "ldm uniform", steps, FinalAlpha::first),
                    "ldm/" + family + "/plms/uniform/" + std::to_string(steps) + "/0");
    }
  }
}

TEST(ReferenceDdim, FollowsErmongroupStepByStep) {
  const auto expect = [&](const std::string& kind, int steps, double eta, const std::string& suffix) {
    const ReferenceSampler ddim = sampler(Method::ddim, Convention::ermongroup, "ddpm", eta);
    expect_states(ddim, sigmas_of(ddim, "ermongroup " + kind, steps, FinalAlpha::one),
                  "ermongroup/ddim/" + kind + suffix);
  };
  expect("uniform", 10, 0, "/10/0");
  expect("uniform", 10, 1, "/10/1");
  expect("uniform", 7, 0.5, "/7/0.5");
  expect("quad", 10, 0, "/10/0");
}

TEST(ReferenceDdim, GoesThroughStepsOfTheSameNumber) {
  const ReferenceSampler ddim = sampler(Method::ddim, Convention::ermongroup, "ddpm");
  const at::Tensor states = states_of(ddim, sigmas_of(ddim, "ermongroup quad", 100, FinalAlpha::one));
  EXPECT_LT(difference(states[-1], golden()["ermongroup/ddim/quad/100/0"]), 10 * kRun);  // ten times the steps
}

TEST(ReferenceDdpm, FollowsErmongroupStepByStep) {
  for (const std::string kind : {"uniform", "quad"}) {
    const ReferenceSampler ddpm = sampler(Method::ddpm, Convention::ermongroup, "ddpm");
    expect_states(ddpm, sigmas_of(ddpm, "ermongroup " + kind, 10, FinalAlpha::one), "ermongroup/ddpm/" + kind + "/10",
                  kClippedRun);
  }
}

class Spacings : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Of, Spacings, ::testing::Values("leading", "trailing", "linspace"),
                         [](const auto& info) { return info.param; });

TEST_P(Spacings, OfDiffusersDdimAreFollowedStepByStep) {
  const std::string rule = "diffusers " + GetParam();
  for (const int eta : {0, 1}) {
    const ReferenceSampler ddim = sampler(Method::ddim, Convention::diffusers, "sd1", eta);
    expect_states(ddim, sigmas_of(ddim, rule, 10, FinalAlpha::first, 1),
                  "diffusers/ddim/" + GetParam() + "/sd1/10/" + std::to_string(eta));
  }
  ReferenceSampler clipped = sampler(Method::ddim, Convention::diffusers, "ddpm");
  clipped.clip = true;
  expect_states(clipped, sigmas_of(clipped, rule, 10, FinalAlpha::one), "diffusers/ddim/" + GetParam() + "/ddpm/10/0",
                kClippedRun);
}

TEST_P(Spacings, OfDiffusersDdpmAreFollowedStepByStep) {
  for (const Variance variance : {Variance::fixed_small, Variance::fixed_large}) {
    ReferenceSampler ddpm = sampler(Method::ddpm, Convention::diffusers, "ddpm");
    ddpm.clip = true;
    ddpm.variance = variance;
    const std::string name = variance == Variance::fixed_small ? "/fixed_small/10" : "/fixed_large/10";
    expect_states(ddpm, sigmas_of(ddpm, "diffusers " + GetParam(), 10, FinalAlpha::one),
                  "diffusers/ddpm/" + GetParam() + name, kClippedRun);
  }
}

// diffusers counts the second evaluation of the first step as a step of its own, whose state is the first's again.
TEST_P(Spacings, OfDiffusersPlmsAreFollowedStepByStep) {
  const ReferenceSampler plms = sampler(Method::plms, Convention::diffusers, "sd1");
  const at::Tensor states = states_of(plms, sigmas_of(plms, "diffusers " + GetParam(), 10, FinalAlpha::first, 1));
  const at::Tensor expected = golden()["diffusers/plms/" + GetParam() + "/sd1/10"];
  ASSERT_EQ(expected.size(0), states.size(0) + 1);
  EXPECT_TRUE(identical(states[0], expected[0]));
  for (std::int64_t i = 1; i < states.size(0); ++i) EXPECT_LT(difference(states[i], expected[i + 1]), kRun) << i;
}

TEST(ReferencePlms, EvaluatesTwiceInItsFirstStep) {
  const ReferenceSampler plms = sampler(Method::plms, Convention::ldm, "sd1");
  std::vector<std::pair<int, int>> places;
  const Denoiser denoise = [&](const at::Tensor& x, float, Place place) {
    places.emplace_back(place.step, place.stage);
    return x * 0.5;
  };
  const at::Tensor sigmas = sigmas_of(plms, "ldm uniform", 4, FinalAlpha::first);
  const float* first = sigmas.const_data_ptr<float>();
  plms(denoise, at::full({1, 3, 4, 4}, 2.0), {first, first + sigmas.numel()}, {});
  EXPECT_EQ(places, (std::vector<std::pair<int, int>>{{0, 0}, {0, 1}, {1, 0}, {2, 0}, {3, 0}}));
}

// From a picture: its own noise level is that of the first step, as the originals' stochastic_encode has it.
TEST(ReferenceRuns, StartFromALatentWhereThereIsOne) {
  const ReferenceSampler ddim = sampler(Method::ddim, Convention::ldm, "sd1");
  const at::Tensor sigmas = sigmas_of(ddim, "ldm uniform", 4, FinalAlpha::first).narrow(0, 2, 3);
  const float* first = sigmas.const_data_ptr<float>();
  SamplerOptions options;
  options.noise = make_noise({1, 3, 4, 5}, 1);
  options.latent = make_noise({1, 3, 4, 5}, 2);
  at::Tensor start;
  options.on_step = [&](const StepReport& step) {
    if (step.step == 0) start = step.x;
  };
  const at::Tensor x = options.latent + options.noise * first[0];
  ddim([](const at::Tensor& y, float, Place) { return y; }, x, {first, first + sigmas.numel()}, options);
  const double a = reference_alphas(ddim.law, Convention::ldm)[251].item<double>();
  EXPECT_LT(difference(start, options.latent * std::sqrt(a) + options.noise * std::sqrt(1 - a)), 1e-6);
}

TEST(ReferenceRuns, RefuseAMethodThatTheImplementationLacks) {
  const auto code = [](const ReferenceSampler& made) {
    try {
      made([](const at::Tensor& y, float, Place) { return y; }, at::zeros({1, 3, 4, 4}), {1.0F, 0.0F}, {});
    } catch (const Error& error) {
      return error.code();
    }
    return std::string("no error");
  };
  EXPECT_EQ(code(sampler(Method::plms, Convention::ermongroup, "ddpm")), "bad_reference_sampler");
  EXPECT_EQ(code(sampler(Method::ddpm, Convention::ldm, "sd1")), "bad_reference_sampler");
  EXPECT_EQ(code(sampler(Method::ddim, Convention::ldm, "sd1")), "no error");
}

}  // namespace
}  // namespace refrain::diffusion
