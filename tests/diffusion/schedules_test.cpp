#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/noise_schedule.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <string>

#include "golden_vectors.hpp"

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;

// Vectorised exp, log and pow of two builds of libtorch differ in the last bit or two; whoever runs on the same one
// sees no difference at all.
constexpr double kRounding = 1e-6;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("schedules.safetensors");
  return vectors;
}

const NoiseSchedule& sd1() {
  static const NoiseSchedule schedule = NoiseSchedule::scaled_linear();
  return schedule;
}

/// "karras/7" -> "karras", "7"
std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> parts{""};
  for (const char c : name) {
    if (c == '/') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// Largest relative difference where the reference isn't 0, which must then be 0 here, too.
double relative_difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return INFINITY;
  double worst = 0;
  for (std::int64_t i = 0; i < a.numel(); ++i) {
    const double x = a.select(0, i).item<double>(), y = b.select(0, i).item<double>();
    worst = std::max(worst, y == 0 ? std::abs(x) : std::abs(x - y) / std::abs(y));
  }
  return worst;
}

TEST(NoiseSchedule, HasTheLevelsThatSdWasTrainedOn) {
  EXPECT_EQ(sd1().steps(), 1000);
  EXPECT_NEAR(sd1().sigma_min(), 0.0291672, 1e-7);  // the published digits
  EXPECT_NEAR(sd1().sigma_max(), 14.614641, 1e-5);
  EXPECT_LT(relative_difference(sd1().sigmas(), golden()["table/sigmas"]), kRounding);
}

TEST(NoiseSchedule, FindsTheNearestStepOfASigma) {
  const at::Tensor& sigmas = golden()["timestep/sigma"];
  for (std::int64_t i = 0; i < sigmas.numel(); ++i) {
    const float sigma = sigmas.select(0, i).item<float>();
    EXPECT_EQ(sd1().timestep(sigma), golden()["timestep/result"].select(0, i).item<float>()) << sigma;
  }
}

TEST(NoiseSchedule, InterpolatesBetweenStepsInTheLogarithm) {
  const at::Tensor sigmas = sd1().sigma(golden()["sigma/timestep"]);
  EXPECT_LT(relative_difference(sigmas, golden()["sigma/result"]), kRounding);
  EXPECT_EQ(sd1().sigma(500.5F), sigmas.select(0, 6).item<float>());
}

TEST(NoiseSchedule, TurnsAShareOfTheRunIntoASigma) {
  const at::Tensor& percents = golden()["percent/percent"];
  for (std::int64_t i = 0; i < percents.numel(); ++i) {
    const double expected = golden()["percent/result"].select(0, i).item<double>();
    EXPECT_NEAR(sd1().percent_to_sigma(percents.select(0, i).item<double>()), expected, expected * kRounding);
  }
}

TEST(Schedulers, MatchTheReferenceForEveryNumberOfSteps) {
  const auto names = golden().names("sigmas/");
  ASSERT_EQ(names.size(), 9 * 23U - 1);
  for (const std::string& name : names) {
    const auto parts = parts_of(name);
    const at::Tensor sigmas = make_sigmas(sd1(), parts[0], std::stoi(parts[1]));
    EXPECT_EQ(sigmas.scalar_type(), at::kFloat);
    EXPECT_LT(relative_difference(sigmas, golden()["sigmas/" + name]), kRounding) << name;
  }
}

TEST(Schedulers, GiveThePublishedKarrasLevels) {
  const std::vector<double> published{14.6146, 9.10293, 5.4784,  3.16861,  1.74942, .914076,
                                      .446921, .2014,   .081911, .0291675, 0};
  const at::Tensor sigmas = make_sigmas(sd1(), "karras", 10);
  for (std::size_t i = 0; i < published.size(); ++i) {
    EXPECT_NEAR(sigmas[static_cast<std::int64_t>(i)].item<double>(), published[i], published[i] * 2e-5) << i;
  }
}

TEST(Schedulers, AreListedByTheErrorForAnUnknownOne) {
  EXPECT_EQ(scheduler_names(),
            (std::vector<std::string>{"simple", "sgm_uniform", "karras", "exponential", "ddim_uniform", "beta",
                                      "normal", "linear_quadratic", "kl_optimal"}));
  try {
    make_sigmas(sd1(), "nomral", 20);
    FAIL() << "there is no such scheduler";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "unknown_scheduler");
    EXPECT_STREQ(error.what(),
                 "there is no scheduler \"nomral\"; there are: simple, sgm_uniform, karras, exponential, ddim_uniform, "
                 "beta, normal, linear_quadratic, kl_optimal");
  }
}

TEST(Schedulers, RefuseARunWithoutSteps) {
  EXPECT_THROW(make_sigmas(sd1(), "normal", 0), Error);
  EXPECT_THROW(make_sigmas(sd1(), "normal", -1), Error);
}

TEST(Schedulers, BeginAtTheFirstLevelWhereKlOptimalHasOneStep) {  // ComfyUI divides 0 by 0
  const at::Tensor sigmas = make_sigmas(sd1(), "kl_optimal", 1);
  ASSERT_EQ(sigmas.numel(), 2);
  EXPECT_NEAR(sigmas[0].item<float>(), sd1().sigma_max(), 1e-4);  // tan(atan(x)) in float32
  EXPECT_EQ(sigmas[1].item<float>(), 0);
}

TEST(Schedulers, RefuseWhatHasNoAnswer) {
  EXPECT_THROW(karras_sigmas(10, 14, 0.1, 0), Error);
  EXPECT_THROW(exponential_sigmas(10, 14, 0), Error);
}

TEST(KSamplerSigmas, LackTheLastButOneForSamplersWithAStageBelowIt) {
  const auto names = golden().names("penultimate/");
  ASSERT_EQ(names.size(), 24U);
  for (const std::string& name : names) {
    const auto parts = parts_of(name);
    const at::Tensor sigmas = ksampler_sigmas(sd1(), parts[0], parts[1], std::stoi(parts[2]), std::stod(parts[3]));
    EXPECT_LT(relative_difference(sigmas, golden()["penultimate/" + name]), kRounding) << name;
  }
}

TEST(KSamplerSigmas, ShortenARunByDenoiseAsTheReferenceDoes) {
  const auto names = golden().names("ksampler/");
  ASSERT_GE(names.size(), 20U);
  for (const std::string& name : names) {
    const auto parts = parts_of(name);
    const at::Tensor sigmas = ksampler_sigmas(sd1(), "euler", parts[0], std::stoi(parts[1]), std::stod(parts[2]));
    EXPECT_LT(relative_difference(sigmas, golden()["ksampler/" + name]), kRounding) << name;
  }
}

TEST(KSamplerSigmas, AreNoneWithoutDenoise) {
  EXPECT_EQ(ksampler_sigmas(sd1(), "euler", "normal", 20, 0).numel(), 0);
  EXPECT_EQ(ksampler_sigmas(sd1(), "euler", "normal", 20, -1).numel(), 0);
}

TEST(KSamplerSigmas, RefuseADenoiseThatAsksForBillions) {
  EXPECT_THROW(ksampler_sigmas(sd1(), "euler", "normal", 10'000, 1e-7), Error);
}

}  // namespace
}  // namespace refrain::diffusion
