#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>

#include <cmath>

#include "golden_vectors.hpp"
#include "guidance/guided_denoiser.hpp"
#include "stand_in_network.hpp"

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::identical;
using testing::StandInNetwork;

constexpr float kSigma = 2.5F;

Condition condition(std::int64_t tokens, double value, double strength = 1) {
  return {at::full({1, tokens, 6}, value, at::kFloat), strength};
}

Model model() {
  Model model;
  model.schedule = std::make_shared<NoiseSchedule>(NoiseSchedule::scaled_linear());
  return model;
}

class Guidance : public ::testing::Test {
 protected:
  at::Tensor denoise(const std::vector<Condition>& positive, const std::vector<Condition>& negative, double cfg,
                     Model with = model()) {
    network = std::make_shared<StandInNetwork>();
    CachedDenoiser cached(network, nullptr, {kSigma, 0});
    PreparedConditions conditions = prepare_conditions(with, positive, negative, x, {});
    return GuidedDenoiser(with, std::move(conditions), cfg, x.size(0), cached)(x, kSigma, {0, 0});
  }

  /// x - s * eps(x / sqrt(s^2 + 1), t) with one context for all pictures.
  at::Tensor alone(double context_value) const {
    const at::Tensor t = at::full({x.size(0)}, model().schedule->timestep(kSigma), at::kFloat);
    const at::Tensor context = at::full({x.size(0), 1, 6}, context_value, at::kFloat);
    return x - StandInNetwork().evaluate({x / std::sqrt(kSigma * kSigma + 1), t, context}, {}).prediction * kSigma;
  }

  at::Tensor x = make_noise({2, 4, 3, 5}, 11);
  std::shared_ptr<StandInNetwork> network;
};

TEST_F(Guidance, RunsBothHalvesInOneBatchNegativeFirst) {
  const at::Tensor result = denoise({condition(77, 0.5)}, {condition(77, -0.25)}, 7.5);
  ASSERT_EQ(network->calls.size(), 1U);
  EXPECT_EQ(network->calls[0].latent, (std::vector<std::int64_t>{4, 4, 3, 5}));
  EXPECT_EQ(network->calls[0].context, (std::vector<std::int64_t>{4, 77, 6}));
  const at::Tensor positive = alone(0.5), negative = alone(-0.25);
  EXPECT_LT(difference(result, negative + (positive - negative) * 7.5),
            1e-6);  // means of 77 tokens and of 1 round apart
}

TEST_F(Guidance, PassesTheNearestTrainingStep) {
  denoise({condition(77, 0)}, {condition(77, 0)}, 2);
  EXPECT_EQ(network->calls[0].timestep, model().schedule->timestep(kSigma));
}

TEST_F(Guidance, LeavesTheNegativeHalfOutAtOne) {
  const at::Tensor result = denoise({condition(77, 0.5)}, {}, 1.0);
  EXPECT_EQ(network->calls[0].latent[0], 2);
  EXPECT_LT(difference(result, alone(0.5)), 1e-6);
}

TEST_F(Guidance, RepeatsTokensToACommonLength) {
  const at::Tensor result = denoise({condition(154, 0.5)}, {condition(77, -0.25)}, 3);
  ASSERT_EQ(network->calls.size(), 1U);
  EXPECT_EQ(network->calls[0].context, (std::vector<std::int64_t>{4, 154, 6}));
  const at::Tensor positive = alone(0.5), negative = alone(-0.25);
  EXPECT_LT(difference(result, negative + (positive - negative) * 3), 1e-6);
}

TEST_F(Guidance, RunsConditionsOfVeryDifferentLengthsApart) {
  denoise({condition(5 * 77, 0.5)}, {condition(77, -0.25)}, 3);  // 5 repeats: more than 4
  ASSERT_EQ(network->calls.size(), 2U);
  EXPECT_EQ(network->calls[0].context[1], 5 * 77);
  EXPECT_EQ(network->calls[1].context[1], 77);
}

TEST_F(Guidance, TakesTheMeanOfSeveralConditionsByStrength) {
  const at::Tensor result = denoise({condition(77, 0.5, 1), condition(77, -1, 3)}, {condition(77, 0)}, 2);
  EXPECT_EQ(network->calls[0].latent[0], 6);
  const at::Tensor positive = (alone(0.5) + alone(-1) * 3.0) / 4.0, negative = alone(0);
  EXPECT_LT(difference(result, negative + (positive - negative) * 2), 1e-6);
}

TEST_F(Guidance, ComputesInThePlacementsDtypeAndSumsInFloat32) {
  Model half = model();
  half.placement.dtype = at::kBFloat16;
  const at::Tensor result = denoise({condition(77, 0.5)}, {condition(77, -0.25)}, 2, half);
  EXPECT_EQ(result.scalar_type(), at::kFloat);
  const at::Tensor exact = alone(-0.25) + (alone(0.5) - alone(-0.25)) * 2;
  EXPECT_GT(difference(result, exact), 1e-5);  // or it was not computed in bfloat16
  EXPECT_LT(difference(result, exact), 0.2);   // 1/256 of eps, times sigma, times 2 for guidance, over a few sums
}

TEST_F(Guidance, RefusesEmptyOrMalformedConditioning) {
  const auto code = [&](const std::vector<Condition>& positive, const std::vector<Condition>& negative) {
    try {
      denoise(positive, negative, 2);
    } catch (const Error& error) {
      return error.code();
    }
    return std::string("no error");
  };
  EXPECT_EQ(code({}, {condition(77, 0)}), "empty_conditioning");
  EXPECT_EQ(code({condition(77, 0)}, {}), "empty_conditioning");
  EXPECT_EQ(code({condition(0, 0)}, {condition(77, 0)}), "bad_conditioning");
  EXPECT_EQ(code({{at::Tensor(), 1}}, {condition(77, 0)}), "bad_conditioning");
}

}  // namespace
}  // namespace refrain::diffusion
