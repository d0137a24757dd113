// What the cached denoiser holds whatever a policy says: guards, memory, nothing that leaks, clear errors.

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/CPUAllocator.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/policies.hpp>

#include <limits>
#include <stdexcept>

#include "counting_allocator.hpp"
#include "golden_vectors.hpp"
#include "scripted_policy.hpp"
#include "stand_in_network.hpp"

namespace refrain::diffusion {
namespace {

using namespace testing;
using Target = Estimate::Target;

std::vector<Guard> guards(const CachedDenoiser& denoiser) {
  std::vector<Guard> all;
  for (const Action& action : denoiser.report().actions) all.push_back(action.guard);
  return all;
}

std::shared_ptr<ScriptedPolicy> always_deep(int depth, Stages stages = Stages::own) {
  return script({.depths = {depth}, .stages = stages, .declared_schedule = true},
                [=](const Moment&) { return Decision::deep(depth); });
}

TEST(Guards, SayWhyAnEvaluationWasForced) {
  const auto policy = script({.depths = {1}, .most_reuses = 2}, [](const Moment&) { return Decision::deep(1); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(9));
  run(denoiser, 4);
  const UNetInput other = input(1, 1);
  denoiser.evaluate({&other, 1}, 1, {4, 0});
  denoiser.evaluate({&other, 1}, 1, {5, 1});
  EXPECT_EQ(guards(denoiser),
            (std::vector{Guard::first, Guard::none, Guard::none, Guard::reuses, Guard::changed, Guard::missing}));
  const Action& forced = denoiser.report().actions.back();
  EXPECT_EQ(forced.asked, Evaluate::deep(1));
  EXPECT_EQ(forced.decision.evaluate, Evaluate::full());
}

TEST(Guards, ForceNothingWhereThePolicyAsksForAFullEvaluation) {
  const auto policy = script({}, [](const Moment&) { return Decision::full("because"); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(2));
  run(denoiser, 2);
  EXPECT_EQ(guards(denoiser), (std::vector{Guard::none, Guard::none}));
  EXPECT_EQ(denoiser.report().actions.back().decision.reason, "because");
}

TEST(Guards, SeeOtherWeightsAndOtherConditions) {
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser denoiser(network, always_deep(1), sigmas(9));
  const auto evaluate = [&](const UNetInput& x) { denoiser.evaluate({&x, 1}, 1, {0, 0}); };
  evaluate(input(1));
  evaluate(input(1));
  network->weights = 7;  // a LoRA's strength, say
  evaluate(input(1));
  evaluate(input(1));
  UNetInput other = input(1);
  other.context = at::full({2, 2, 6}, 0.75);
  evaluate(other);
  evaluate(other);
  EXPECT_EQ(actions(denoiser), "f1f1f1");
  EXPECT_EQ(guards(denoiser)[2], Guard::changed);
}

// What the rule comes to for anything that acts on the network from outside at every evaluation, as a ControlNet does:
// it says so by its revision, and then nothing of another evaluation is reused.
TEST(Guards, ReuseNothingOfANetworkThatIsAnotherAtEveryEvaluation) {
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser denoiser(network, std::make_shared<UniformCache>(9, 1), sigmas(4));
  CachedDenoiser uncached(network, nullptr, sigmas(4));
  for (int step = 0; step < 4; ++step) {
    network->weights = static_cast<std::uint64_t>(step) + 1;
    const UNetInput x = input(1.0 / (step + 1));
    const at::Tensor guarded = denoiser.evaluate({&x, 1}, 1, {step, 0}).front();
    EXPECT_TRUE(identical(guarded, uncached.evaluate({&x, 1}, 1, {step, 0}).front()));
  }
  EXPECT_EQ(actions(denoiser), "Ffff") << "the first step is one of the schedule's own";
  EXPECT_EQ(guards(denoiser).back(), Guard::changed);
}

TEST(Stages, HaveCachesOfTheirOwnUnlessThePolicySharesThem) {
  for (const Stages stages : {Stages::own, Stages::shared}) {
    const auto network = std::make_shared<StandInNetwork>();
    CachedDenoiser denoiser(network, always_deep(1, stages), sigmas(3));
    std::vector<at::Tensor> predictions;
    for (int step = 0; step < 3; ++step) {
      for (int stage = 0; stage < 2; ++stage) {
        const UNetInput x = input(step + 0.5 * stage);
        predictions.push_back(denoiser.evaluate({&x, 1}, 1, {step, stage}).front());
      }
    }
    EXPECT_EQ(actions(denoiser), stages == Stages::own ? "ff1111" : "f11111");
    const int source = stages == Stages::own ? 1 : 0;  // the first step's evaluation that the last one goes on from
    const std::vector<int> keep{1};
    const at::Tensor h = network->evaluate(input(0.5 * source), {Evaluate::full(), {}, keep}).kept[0];
    const at::Tensor expected = network->evaluate(input(2.5), {Evaluate::deep(1), h, {}}).prediction;
    EXPECT_TRUE(identical(predictions.back(), expected));
  }
}

// PLMS asks twice in its first step and once in the others: the doubled evaluation is seen as a stage, and leaves the
// other steps where they are.
TEST(Stages, LeaveTheStepsWhereTheyAreAfterADoubledFirstStep) {
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), std::make_shared<UniformCache>(2, 0), sigmas(4));
  const UNetInput x = input(1);
  for (const Place place : {Place{0, 0}, Place{0, 1}, Place{1, 0}, Place{2, 0}, Place{3, 0}}) {
    denoiser.evaluate({&x, 1}, 1, place);
  }
  EXPECT_EQ(actions(denoiser), "FF0F0");
}

TEST(Leaks, NothingPassesFromOneRunToTheNext) {
  const auto network = std::make_shared<StandInNetwork>();
  const auto policy = std::make_shared<UniformCache>(3, 1);
  std::vector<at::Tensor> first;
  {
    CachedDenoiser denoiser(network, policy, sigmas(4));
    first = run(denoiser, 4);
  }
  {
    CachedDenoiser stopped(network, policy, sigmas(4));  // cancelled after two steps
    run(stopped, 2);
  }
  {
    CachedDenoiser part(network, policy, sigmas(4));  // from a picture: begins with its third step's noise
    const UNetInput x = input(9, 1);
    part.evaluate({&x, 1}, 2, {0, 0});
    EXPECT_EQ(actions(part), "F");
  }
  CachedDenoiser again(network, policy, sigmas(4));
  const auto second = run(again, 4);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_TRUE(identical(second[i], first[i])) << i;
}

TEST(Leaks, AnEvaluationThatFailedLeavesNothingToReuse) {
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser denoiser(network, always_deep(1), sigmas(9));
  const std::vector<UNetInput> both{input(1), input(2)};
  denoiser.evaluate(both, 1, {0, 0});
  network->fail_at = static_cast<int>(network->calls.size()) + 2;  // the second of the next two calls
  EXPECT_THROW(denoiser.evaluate(both, 1, {1, 0}), std::runtime_error);
  denoiser.evaluate(both, 1, {2, 0});
  EXPECT_EQ(actions(denoiser), "ff");
  EXPECT_EQ(guards(denoiser).back(), Guard::failed);
}

TEST(Leaks, NoSolverWritesIntoWhatIsKept) {
  const auto policy = script({.targets = {Target::denoised}, .declared_schedule = true},
                             [](const Moment&) { return Decision::nothing(Target::denoised); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3));
  const UNetInput x = input(1);
  Question question;
  question.inputs = {&x, 1};
  question.x = at::full({2, 4, 3, 5}, 2.0);
  denoiser.evaluate(question);
  at::Tensor denoised = at::full({2, 4, 3, 5}, 3.0);
  denoiser.remember(denoised);
  denoised.zero_();
  for (int i = 0; i < 2; ++i) {
    at::Tensor reused = denoiser.evaluate(question).denoised;
    EXPECT_TRUE(identical(reused, at::full({2, 4, 3, 5}, 3.0)));
    reused.zero_();
  }
}

TEST(SolverSpace, ReusesTheGuidedResultAndItsChange) {
  for (const Target target : {Target::denoised, Target::change}) {
    const auto policy = script({.targets = {target}, .history = 2}, [=](const Moment& moment) {
      return moment.evaluation < 2 ? Decision::full() : Decision::nothing(target, {2, -1});
    });
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3));
    Answer last;
    for (int i = 0; i < 3; ++i) {
      const UNetInput x = input(1);
      Question question;
      question.inputs = {&x, 1};
      question.x = at::ones({2, 4, 3, 5}) * i;
      last = denoiser.evaluate(question);
      denoiser.remember(at::ones({2, 4, 3, 5}) * (10 + 3 * i));
    }
    EXPECT_EQ(actions(denoiser), "FF.");
    // 10, 13 go on to 16; 10 - 0, 13 - 1 go on to 14, and x is 2.
    EXPECT_TRUE(identical(last.denoised, at::full({2, 4, 3, 5}, 16.0)));
    EXPECT_TRUE(last.predictions.empty());
  }
}

TEST(SolverSpace, IsNeverReusedWhereNobodyTellsIt) {
  const auto policy = script({.targets = {Target::denoised}, .most_reuses = 9},
                             [](const Moment&) { return Decision::nothing(Target::denoised); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3));
  run(denoiser, 3);
  EXPECT_EQ(actions(denoiser), "fff");
}

TEST(NetworkSpace, ReusesThePredictionAndWhatItAddsToTheInput) {
  for (const Target target : {Target::prediction, Target::residual}) {
    const auto policy = script({.targets = {target}}, [=](const Moment& moment) {
      return moment.evaluation == 0 ? Decision::full() : Decision::nothing(target);
    });
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3));
    const auto predictions = run(denoiser, 3);
    const at::Tensor expected =
        target == Target::prediction ? predictions[0] : input(1.0 / 3).latent + (predictions[0] - input(1).latent);
    EXPECT_TRUE(identical(predictions[2], expected));
  }
}

TEST(Measures, CompareWithTheEvaluationThatTheyName) {
  Needs needs{.targets = {Target::prediction}};
  using enum Measure::Since;
  needs.measures = {{.since = computed}, {.since = previous}, {.since = computed, .stride = 2}};
  std::vector<std::optional<double>> seen;
  const auto policy = script(needs, [&](const Moment& moment) {
    for (std::size_t i = 0; i < 3; ++i) seen.push_back(moment.input_change(i));
    return moment.step == 1 ? Decision::nothing(Target::prediction) : Decision::full();
  });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3));
  run(denoiser, 3);
  EXPECT_FALSE(seen[0].has_value());
  EXPECT_NEAR(*seen[3], 1 - 1.0 / 2, 1e-6);
  EXPECT_NEAR(*seen[6], 1 - 1.0 / 3, 1e-6);
  EXPECT_NEAR(*seen[7], 1.0 / 2 - 1.0 / 3, 1e-6);
  EXPECT_NEAR(*seen[8], 1 - 1.0 / 3, 1e-6);
}

TEST(Measures, LookAtThePartOfTheBatchThatTheyName) {
  using enum Measure::Part;
  Needs needs;
  needs.measures = {{.part = first, .norm = first}, {.part = conditional, .norm = conditional}, {.part = batch}};
  std::vector<double> changes;
  const auto policy = script(needs, [&](const Moment& moment) {
    for (std::size_t i = 0; i < 3; ++i) changes.push_back(moment.input_change(i).value_or(-1));
    return Decision::full();
  });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3));
  for (int step = 0; step < 2; ++step) {
    UNetInput x = input(0, 4);
    x.latent.narrow(0, 0, 2).fill_(1.0 * step);
    x.latent.narrow(0, 2, 2).fill_(3.0 * step);
    Question question;
    question.inputs = {&x, 1};
    question.pictures = 2;
    question.conditional_at = 2;
    denoiser.evaluate(question);
  }
  EXPECT_EQ(changes, (std::vector<double>{-1, -1, -1, 1, 3, 2}));
}

// Broken policies.

std::string failure_of(const std::shared_ptr<const CachePolicy>& policy, int steps = 3) {
  try {
    CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(steps));
    run(denoiser, steps);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(policy->describe()), std::string::npos) << error.what();
    return error.code();
  }
  return "no error";
}

TEST(BrokenPolicies, GiveErrorsThatNameThem) {
  EXPECT_EQ(failure_of(script({}, [](const Moment&) -> Decision { throw std::runtime_error("division by zero"); })),
            "cache_policy_failed");
  EXPECT_EQ(failure_of(script({.depths = {99}}, [](const Moment&) { return Decision::full(); })), "cache_depth");
  EXPECT_EQ(failure_of(script({.depths = {1}}, [](const Moment&) { return Decision::deep(2); })), "cache_decision");
  EXPECT_EQ(failure_of(script({}, [](const Moment&) { return Decision::encoder_reused(); })), "cache_decision");
  EXPECT_EQ(
      failure_of(script({.depths = {1}},
                        [](const Moment&) { return Decision::deep(1, {std::numeric_limits<double>::quiet_NaN()}); })),
      "cache_decision");
  EXPECT_EQ(failure_of(script({.history = 0}, [](const Moment&) { return Decision::full(); })), "cache_decision");
  EXPECT_EQ(failure_of(script({.targets = {Target::feature}}, [](const Moment&) { return Decision::full(); })),
            "cache_decision");
  EXPECT_EQ(failure_of(script({.measures = {{.stride = 0}}}, [](const Moment&) { return Decision::full(); })),
            "cache_decision");
}

TEST(BrokenPolicies, ThatAskForAMeasureTheyDidNotDeclareAreToldSo) {
  const auto policy = script({}, [](const Moment& moment) {
    moment.input_change(0);
    return Decision::full();
  });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(2));
  EXPECT_EQ(code_of([&] { run(denoiser, 2); }), "cache_measure");
}

TEST(BrokenPolicies, ThatNeverRefreshAreHeldByTheCap) {
  const auto policy =
      script({.targets = {Target::prediction}}, [](const Moment&) { return Decision::nothing(Target::prediction); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(50));
  run(denoiser, 50);
  EXPECT_EQ(actions(denoiser), "f" + std::string(20, '.') + "f" + std::string(20, '.') + "f.......");
}

TEST(BrokenPolicies, ThatReuseWhatWasNeverMadeGetAFullEvaluation) {
  const auto policy = script({.encoder = true}, [](const Moment&) { return Decision::encoder_reused(); });
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), policy, sigmas(2));
  const UNetInput x = input(1);
  denoiser.evaluate({&x, 1}, 1, {0, 0});
  denoiser.evaluate({&x, 1}, 1, {0, 1});
  EXPECT_EQ(guards(denoiser), (std::vector{Guard::first, Guard::missing}));
}

// Memory.

/// A network with features of a size, of which nothing else is kept: what SD 1.5 hands out at 512 x 512 pixels.
class SizedNetwork final : public Network {
 public:
  int skips() const override { return 12; }
  UNetResult evaluate(const UNetInput& input, const UNetRequest& request) const override {
    UNetResult result;
    for (const int depth : request.keep) {
      const bool computed = request.evaluate == Evaluate::full() || depth < request.evaluate.depth;
      result.kept.push_back(computed ? at::empty({input.latent.size(0), 320, 64, 64}, input.latent.options())
                                     : at::Tensor());
    }
    result.prediction = at::zeros_like(input.latent);
    return result;
  }
  Macs macs(Evaluate, const UNetInput&) const override { return {1, 0, 0}; }
};

TEST(KeptMemory, IsOneFeatureOfBothHalvesForAUniformCache) {
  constexpr std::int64_t kFeature = 2LL * 320 * 64 * 64 * 2;  // 5.2 MB: both halves, SD 1.5 at 512, k = 0, float16
  const CountingAllocator count;
  const auto options = at::TensorOptions(at::kHalf);
  const UNetInput x{at::zeros({2, 4, 64, 64}, options), at::zeros({2}), at::zeros({2, 77, 768}, options)};
  CachedDenoiser denoiser(std::make_shared<SizedNetwork>(), std::make_shared<UniformCache>(3, 0), sigmas(9));
  const std::int64_t before = count.bytes();
  for (int step = 0; step < 9; ++step) {
    denoiser.evaluate({&x, 1}, 1, {step, 0});
    EXPECT_EQ(count.bytes() - before, kFeature) << step;
  }
  EXPECT_EQ(denoiser.report().peak_kept_bytes, kFeature);
  EXPECT_EQ(kFeature, 5242880);
}

TEST(KeptMemory, IsNothingForAPolicyThatDeclaresNothing) {
  const CountingAllocator count;
  const UNetInput x{at::zeros({2, 4, 64, 64}), at::zeros({2}), at::zeros({2, 77, 768})};
  CachedDenoiser denoiser(std::make_shared<SizedNetwork>(), nullptr, sigmas(2));
  const std::int64_t before = count.bytes();
  for (int step = 0; step < 2; ++step) denoiser.evaluate({&x, 1}, 1, {step, 0});
  EXPECT_EQ(count.bytes(), before);
  EXPECT_EQ(denoiser.report().peak_kept_bytes, 0);
}

TEST(KeptMemory, IsWhatTheDeclarationAddsUpTo) {
  Needs needs{.depths = {0, 5}, .targets = {Target::prediction, Target::change}, .history = 2};
  needs.measures = {{.stride = 8}};
  const auto policy = script(needs, [](const Moment&) { return Decision::full(); });
  const CountingAllocator count;
  const UNetInput x{at::zeros({2, 4, 64, 64}), at::zeros({2}), at::zeros({2, 77, 768})};
  CachedDenoiser denoiser(std::make_shared<SizedNetwork>(), policy, sigmas(4));
  const at::Tensor solver = at::zeros({1, 4, 64, 64});
  const std::int64_t before = count.bytes();
  for (int step = 0; step < 4; ++step) {
    Question question;
    question.inputs = {&x, 1};
    question.place = {step, 0};
    question.x = solver;
    denoiser.evaluate(question);
    denoiser.remember(solver);
  }
  constexpr std::int64_t kFeature = 2LL * 320 * 64 * 64 * 4, kPrediction = 2LL * 4 * 64 * 64 * 4;
  constexpr std::int64_t kThinned = 2LL * 4 * 8 * 8 * 4;  // an input and an output
  const std::int64_t declared = 2 * (2 * kFeature + kPrediction + kPrediction / 2) + 2 * kThinned;
  EXPECT_EQ(count.bytes() - before, declared);
  EXPECT_EQ(denoiser.report().peak_kept_bytes, declared);
}

TEST(Report, TellsRealisedFromIdealSpeedUp) {
  SamplingReport report;
  const auto add = [&](Evaluate evaluate, double all, double network, double macs) {
    Action action;
    action.decision.evaluate = evaluate;
    action.milliseconds = all;
    action.network_milliseconds = network;
    action.macs = macs;
    report.actions.push_back(action);
    report.macs += macs;
    report.macs_uncached += 100;
  };
  add(Evaluate::full(), 12, 10, 100);
  add(Evaluate::deep(0), 4, 2, 10);
  add(Evaluate::full(), 10, 10, 100);
  add(Evaluate::deep(0), 4, 2, 10);
  const SpeedUp speed = speed_up(report);
  ASSERT_EQ(speed.kinds.size(), 2U);
  EXPECT_EQ(speed.kinds[1].count, 2);
  EXPECT_EQ(speed.kinds[1].network_milliseconds, 2);
  EXPECT_EQ(speed.kinds[0].milliseconds, 22);
  EXPECT_DOUBLE_EQ(speed.ideal_by_macs, 400.0 / 220);
  EXPECT_DOUBLE_EQ(speed.ideal_by_costs, 40.0 / 24);
  EXPECT_DOUBLE_EQ(speed.realised, 40.0 / 30);
  EXPECT_EQ(speed_up({}).realised, 1);
}

}  // namespace
}  // namespace refrain::diffusion
