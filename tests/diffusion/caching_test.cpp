#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/policies.hpp>

#include <functional>
#include <string>

#include "golden_vectors.hpp"
#include "scripted_policy.hpp"
#include "stand_in_network.hpp"

namespace refrain::diffusion {
namespace {

using namespace testing;

TEST(UniformCache, IsFullAtEveryNthStep) {
  for (const auto& [interval, expected] :
       {std::pair(1, "FFFFFFF"), {2, "F1F1F1F"}, {3, "F11F11F"}, {5, "F1111F1"}, {9, "F111111"}}) {
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(interval, 1), sigmas(7));
    run(denoiser, 7);
    EXPECT_EQ(actions(denoiser), expected);
  }
}

TEST(UniformCache, OfIntervalOneEqualsNoCacheBitForBitAtEveryDepth) {
  for (int depth = 0; depth < 4; ++depth) {
    CachedDenoiser cached(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(1, depth), sigmas(6));
    CachedDenoiser uncached(std::make_shared<StandInNetwork>(), nullptr, sigmas(6));
    const auto a = run(cached, 6), b = run(uncached, 6);
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(identical(a[i], b[i])) << depth << " " << i;
    EXPECT_EQ(actions(cached), actions(uncached));
  }
}

TEST(UniformCache, TreatsBothStagesOfAStepAlike) {
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(2, 0), sigmas(4));
  const UNetInput x = input(1);
  for (int step = 0; step < 4; ++step) {
    for (int stage = 0; stage < 2; ++stage) denoiser.evaluate({&x, 1}, 1, {step, stage});
  }
  EXPECT_EQ(actions(denoiser), "FF00FF00");
}

TEST(UniformCache, RefusesWhatCantBe) {
  EXPECT_EQ(code_of([] { UniformCache(0, 0); }), "cache_interval");
  EXPECT_EQ(code_of([] { UniformCache(2, -1); }), "cache_depth");
}

TEST(UniformCache, SaysWhatItIs) { EXPECT_EQ(UniformCache(5, 0).describe(), "uniform, interval 5, depth 0"); }

TEST(ListedCache, IsFullAtTheListedStepsAndTheFirst) {
  for (const auto& [steps, expected] : std::vector<std::pair<std::vector<int>, std::string>>{
           {{0, 2, 5}, "F2F22F2"}, {{5, 2, 2}, "F2F22F2"}, {{}, "F222222"}, {{6, 100}, "F22222F"}}) {
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), std::make_shared<ListedCache>(steps, 2), sigmas(7));
    run(denoiser, 7);
    EXPECT_EQ(actions(denoiser), expected);
  }
}

TEST(ListedCache, RefusesNegativeSteps) {
  EXPECT_EQ(code_of([] { ListedCache({3, -1}, 0); }), "cache_steps");
}

TEST(ListedCache, SaysWhatItIs) {
  EXPECT_EQ(ListedCache({9, 0, 5, 9}, 1).describe(), "listed, full at 0 5 9, depth 1");
  EXPECT_EQ(ListedCache({}, 1).describe(), "listed, full at the first step, depth 1");
  EXPECT_LT(ListedCache(std::vector<int>(1000, 7), 1).describe().size(), 50U);
}

TEST(CachedDenoiser, RefusesADepthThatTheModelLacks) {
  const auto network = std::make_shared<StandInNetwork>(4);
  for (const auto& policy : std::vector<std::shared_ptr<const CachePolicy>>{
           std::make_shared<UniformCache>(2, 4), std::make_shared<ListedCache>(std::vector<int>{0}, 7),
           script({.depths = {4}}, [](const Moment&) { return Decision::full(); })}) {
    try {
      CachedDenoiser(network, policy, sigmas(3));
      ADD_FAILURE() << policy->describe();
    } catch (const ModelError& error) {
      EXPECT_EQ(error.code(), "cache_depth");
      EXPECT_NE(std::string(error.what()).find("depths 0 to 3"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(policy->describe()), std::string::npos) << error.what();
    }
  }
}

TEST(CachedDenoiser, IsNeverCalledForADepthThatTheModelJustHas) {
  EXPECT_NO_THROW(CachedDenoiser(std::make_shared<StandInNetwork>(4), std::make_shared<UniformCache>(2, 3), sigmas(3)));
}

TEST(CachedDenoiser, SplicesTheFeatureOfAnEarlierInputIntoALaterOne) {
  const StandInNetwork network;
  for (int depth = 0; depth < 4; ++depth) {
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(2, depth), sigmas(2));
    const UNetInput a = input(0.5), b = input(0.75);
    const at::Tensor on_a = denoiser.evaluate({&a, 1}, 2, {0, 0}).front();
    const at::Tensor on_b = denoiser.evaluate({&b, 1}, 1, {1, 0}).front();

    const UNetResult full_a = network.evaluate(a, {Evaluate::full(), {}, std::span(&depth, 1)});
    const UNetResult full_b = network.evaluate(b, {});
    const UNetResult spliced = network.evaluate(b, {Evaluate::deep(depth), full_a.kept.front(), {}});
    EXPECT_TRUE(identical(on_a, full_a.prediction)) << depth;
    EXPECT_TRUE(identical(on_b, spliced.prediction)) << depth;
    EXPECT_FALSE(identical(on_b, full_b.prediction)) << depth;
  }
}

TEST(CachedDenoiser, ReproducesAFullEvaluationOnTheSameInput) {
  for (int depth = 0; depth < 4; ++depth) {
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(9, depth), sigmas(5));
    const UNetInput x = input(0.5);
    const at::Tensor full = denoiser.evaluate({&x, 1}, 5, {0, 0}).front();
    for (int step = 1; step < 5; ++step) {
      EXPECT_TRUE(identical(denoiser.evaluate({&x, 1}, 5, {step, 0}).front(), full)) << depth;
    }
  }
}

TEST(CachedDenoiser, KeepsOnlyDeclaredDepths) {
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser none(network, nullptr, sigmas(2));
  run(none, 2);
  for (const auto& call : network->calls) EXPECT_TRUE(call.keep.empty());
  network->calls.clear();
  CachedDenoiser one(network, std::make_shared<UniformCache>(2, 2), sigmas(2));
  run(one, 2);
  for (const auto& call : network->calls) EXPECT_EQ(call.keep, std::vector<int>{2});
}

TEST(CachedDenoiser, RefreshesEveryDeclaredDepthShallowerThanTheOneReused) {
  const auto policy = script({.depths = {0, 2}}, [](const Moment& moment) {
    constexpr int kDepths[] = {-1, 0, 2, 0, 0};
    const int depth = kDepths[moment.evaluation];
    return depth < 0 ? Decision::full() : Decision::deep(depth);
  });
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser denoiser(network, policy, sigmas(5));
  const auto predictions = run(denoiser, 5);
  std::vector<std::vector<int>> ages;
  for (const Moment& moment : policy->moments) ages.push_back(moment.age);
  EXPECT_EQ(ages, (std::vector<std::vector<int>>{{-1, -1}, {1, 1}, {2, 2}, {1, 3}, {2, 4}}));

  // The fourth evaluation's h_0 is that of the third, which began with the first one's h_2.
  const std::vector<int> both{0, 2}, shallow{0};
  const UNetResult first = network->evaluate(input(1), {Evaluate::full(), {}, both});
  const UNetResult third = network->evaluate(input(1.0 / 3), {Evaluate::deep(2), first.kept[1], shallow});
  const UNetResult fourth = network->evaluate(input(1.0 / 4), {Evaluate::deep(0), third.kept[0], {}});
  EXPECT_TRUE(identical(predictions[3], fourth.prediction));
}

TEST(CachedDenoiser, TellsThePolicyWhereTheRunStands) {
  const auto policy = script({}, [](const Moment&) { return Decision::full(); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(4));
  const UNetInput x = input(1);
  denoiser.evaluate({&x, 1}, 4, {0, 0});
  denoiser.evaluate({&x, 1}, 3, {0, 1});
  denoiser.evaluate({&x, 1}, 3, {1, 0});
  ASSERT_EQ(policy->moments.size(), 3U);
  const Moment& last = policy->moments.back();
  EXPECT_EQ(last.step, 1);
  EXPECT_EQ(last.stage, 0);
  EXPECT_EQ(last.evaluation, 2);
  EXPECT_EQ(last.sigma, 3);
  EXPECT_EQ(last.progress, 0.25);
  EXPECT_EQ(policy->moments[1].stage, 1);
}

TEST(CachedDenoiser, ForcesAFullEvaluationAtTheBeginning) {
  const auto policy = script({.depths = {1}}, [](const Moment&) { return Decision::deep(1); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3));
  run(denoiser, 3);
  EXPECT_EQ(actions(denoiser), "f11");
  EXPECT_TRUE(policy->outcomes.front().forced);
  EXPECT_EQ(policy->outcomes.front().decision.evaluate, Evaluate::full());
  EXPECT_FALSE(policy->outcomes.back().forced);
}

TEST(CachedDenoiser, ForcesAFullEvaluationWhenItsInputChangesShapeOrDtypeOrNumber) {
  const auto policy =
      script({.depths = {1}, .declared_schedule = true}, [](const Moment&) { return Decision::deep(1); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(9));
  const auto evaluate = [&](std::vector<UNetInput> inputs) { denoiser.evaluate(inputs, 1, {0, 0}); };
  evaluate({input(1)});
  evaluate({input(2)});
  evaluate({input(2, 1)});  // another batch
  evaluate({input(2, 1)});
  evaluate({input(2, 1, at::kDouble)});  // another dtype
  evaluate({input(2, 1, at::kDouble)});
  evaluate({input(2), input(2)});  // in two parts
  evaluate({input(2), input(2)});
  evaluate({input(2)});
  EXPECT_EQ(actions(denoiser), "f1f1f1f1f");
  EXPECT_EQ(policy->moments[2].age, std::vector<int>{-1});
}

TEST(CachedDenoiser, LimitsReusesInARowUnlessTheyAreADeclaredSchedule) {
  for (const bool declared : {false, true}) {
    const auto policy =
        script({.depths = {1}, .declared_schedule = declared}, [](const Moment&) { return Decision::deep(1); });
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(30));
    run(denoiser, 30);
    const std::string twenty(20, '1');
    EXPECT_EQ(actions(denoiser), declared ? "f" + twenty + "111111111" : "f" + twenty + "f11111111");
  }
}

TEST(CachedDenoiser, KeepsInterleavedRunsApart) {
  const auto network = std::make_shared<StandInNetwork>();
  const auto policy = std::make_shared<UniformCache>(3, 1);
  CachedDenoiser alone(network, policy, sigmas(4));
  const auto expected = run(alone, 4);
  CachedDenoiser one(network, policy, sigmas(4)), other(network, policy, sigmas(4));
  for (int step = 0; step < 4; ++step) {
    const UNetInput x = input(1.0 / (step + 1)), y = input(7.0 * step + 3, 1);
    const at::Tensor prediction = one.evaluate({&x, 1}, 1, {step, 0}).front();
    other.evaluate({&y, 1}, 1, {step, 0});
    EXPECT_TRUE(identical(prediction, expected[static_cast<std::size_t>(step)])) << step;
  }
}

TEST(CachedDenoiser, KeepsACacheForEachPartOfAnEvaluation) {
  CachedDenoiser together(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(2, 1), sigmas(2));
  CachedDenoiser first(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(2, 1), sigmas(2));
  CachedDenoiser second(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(2, 1), sigmas(2));
  for (int step = 0; step < 2; ++step) {
    const std::vector<UNetInput> both{input(step + 0.5), input(step + 2.5)};
    const auto predictions = together.evaluate(both, 1, {step, 0});
    EXPECT_TRUE(identical(predictions[0], first.evaluate({&both[0], 1}, 1, {step, 0}).front()));
    EXPECT_TRUE(identical(predictions[1], second.evaluate({&both[1], 1}, 1, {step, 0}).front()));
  }
  EXPECT_EQ(actions(together), "F1");  // one decision for both
}

TEST(CachedDenoiser, WeighsTheFeaturesOfAHistory) {
  // Linear extrapolation from two full evaluations: 2 h - h_before.
  const auto policy = script({.depths = {1}, .history = 2}, [](const Moment& moment) {
    return moment.evaluation < 2 ? Decision::full() : Decision{Evaluate::deep(1), {Estimate::Target::feature, {2, -1}}};
  });
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser denoiser(network, policy, sigmas(3));
  const at::Tensor third = run(denoiser, 3).back();
  const std::vector<int> keep{1};
  const at::Tensor h0 = network->evaluate(input(1), {Evaluate::full(), {}, keep}).kept[0];
  const at::Tensor h1 = network->evaluate(input(0.5), {Evaluate::full(), {}, keep}).kept[0];
  const at::Tensor expected =
      network->evaluate(input(1.0 / 3), {Evaluate::deep(1), h1 * 2.0 + h0 * -1.0, {}}).prediction;
  EXPECT_TRUE(identical(third, expected));
}

TEST(CachedDenoiser, ForcesAFullEvaluationWhileTheHistoryIsTooShort) {
  const auto policy = script({.depths = {1}, .history = 2}, [](const Moment&) {
    return Decision{Evaluate::deep(1), {Estimate::Target::feature, {2, -1}}};
  });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(4));
  run(denoiser, 4);
  EXPECT_EQ(actions(denoiser), "ff11");
}

TEST(CachedDenoiser, ReusesPredictionsWhereNothingIsEvaluated) {
  const auto policy = script({.targets = {Estimate::Target::prediction}}, [](const Moment& moment) {
    return moment.evaluation % 2 == 0 ? Decision::full() : Decision{Evaluate::nothing(), Estimate::last()};
  });
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser denoiser(network, policy, sigmas(4));
  const auto predictions = run(denoiser, 4);
  EXPECT_EQ(actions(denoiser), "F.F.");
  EXPECT_TRUE(identical(predictions[1], predictions[0]));
  EXPECT_TRUE(identical(predictions[3], predictions[2]));
  EXPECT_EQ(network->calls.size(), 2U);
}

TEST(CachedDenoiser, RefusesDecisionsThatWereNotDeclaredOrAreNotSupported) {
  const auto code = [](Needs needs, Decision decision) {
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), script(needs, [=](const Moment&) { return decision; }),
                            sigmas(3));
    return code_of([&] { run(denoiser, 3); });
  };
  EXPECT_EQ(code({.depths = {1}}, Decision::deep(2)), "cache_decision");
  EXPECT_EQ(code({}, {Evaluate::nothing(), {}}), "cache_decision");
  EXPECT_EQ(code({}, {Evaluate::encoder_reused(), {}}), "cache_decision");
  EXPECT_EQ(code({.depths = {1}}, {Evaluate::deep(1), {Estimate::Target::feature, {1, 1}}}), "cache_decision");
  EXPECT_EQ(code({.depths = {1}}, {Evaluate::deep(1), {Estimate::Target::prediction, {}}}), "cache_decision");
  EXPECT_EQ(code({.targets = {Estimate::Target::prediction}}, {Evaluate::nothing(), {Estimate::Target::residual, {}}}),
            "cache_decision");
}

TEST(CachedDenoiser, CountsWhatWasComputed) {
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(4), std::make_shared<UniformCache>(3, 1), sigmas(6));
  run(denoiser, 6);
  const SamplingReport& report = denoiser.report();
  EXPECT_EQ(report.policy, "uniform, interval 3, depth 1");
  EXPECT_EQ(report.macs, 2 * (2 * 5 + 4 * 2));  // two pictures: two full evaluations of 5, four of depth 1 of 2
  EXPECT_EQ(report.macs_uncached, 2 * 6 * 5);
  EXPECT_EQ(report.actions[3].step, 3);
  EXPECT_EQ(report.actions[3].sigma, 3);
  EXPECT_EQ(report.actions[0].macs, 10);
}

TEST(CachedDenoiser, CountsAsThePapersDoBesideWhatIsExecuted) {
  class Counted final : public Network {
   public:
    int skips() const override { return 2; }
    UNetResult evaluate(const UNetInput& input, const UNetRequest& request) const override {
      UNetResult result{input.latent, {}, {}};
      result.kept.assign(request.keep.size(), input.latent);
      return result;
    }
    Macs macs(Evaluate evaluate, const UNetInput& input) const override {
      return Macs{evaluate == Evaluate::full() ? 10.0 : 2.0, 1, 0.5} * static_cast<double>(input.latent.size(0));
    }
  };
  CachedDenoiser denoiser(std::make_shared<Counted>(), std::make_shared<UniformCache>(2, 0), sigmas(4));
  run(denoiser, 4);  // batches of two: F0F0
  const SamplingReport& report = denoiser.report();
  EXPECT_EQ(report.macs, 2 * (2 * 11.5 + 2 * 3.5));
  EXPECT_EQ(report.published_macs, 2 * (2 * 10 + 2 * 2));
  EXPECT_EQ(report.published_macs_uncached, 2 * 4 * 10);
  EXPECT_EQ(report.actions[1].published_macs, 2 * 2);
  EXPECT_EQ(published_cost(report).average, 6);
  EXPECT_EQ(published_cost(report).full, 10);
  EXPECT_DOUBLE_EQ(speed_up(report).ideal_by_published_macs, 80.0 / 48);
  EXPECT_DOUBLE_EQ(speed_up(report).ideal_by_macs, 92.0 / 60);
  EXPECT_EQ(speed_up(report).kinds[1].published_macs, 2 * 2 * 2);
  EXPECT_EQ(published_cost({}).full, 0);
}

}  // namespace
}  // namespace refrain::diffusion
