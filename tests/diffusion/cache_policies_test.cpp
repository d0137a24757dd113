// The policies against what their originals decide (tests/reference/vectors_caching.py), on formulas in place of
// models.

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/adaptive_policies.hpp>
#include <refrain/diffusion/composed_policies.hpp>
#include <refrain/diffusion/policies.hpp>

#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "golden_vectors.hpp"
#include "scripted_policy.hpp"
#include "stand_in_network.hpp"

namespace refrain::diffusion {
namespace {

using namespace testing;
using nlohmann::json;
using Target = Estimate::Target;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("caching_small.safetensors");
  return vectors;
}

/// What a policy does in a run of one evaluation a step over the stand-in network.
std::string actions_of(std::shared_ptr<const CachePolicy> policy, int steps, int stages = 1) {
  // Percents of a schedule whose sigmas are those of the run: 0.5 is half the steps.
  const auto percent = [=](double share) {
    return share <= 0 ? std::numeric_limits<double>::infinity() : (1 - share) * steps;
  };
  CachedDenoiser denoiser(std::make_shared<StandInNetwork>(), std::move(policy), sigmas(steps), percent);
  for (int step = 0; step < steps; ++step) {
    for (int stage = 0; stage < stages; ++stage) {
      const UNetInput x = input(1.0 / (step + 1));
      denoiser.evaluate({&x, 1}, static_cast<float>(steps - step), {step, stage});
    }
  }
  return actions(denoiser);
}

TEST(NonUniformCache, HasTheSchedulesOfTheAuthorsCode) {
  std::ifstream file(REFRAIN_TEST_DATA "/golden/centered_schedules.json");
  const json cases = json::parse(file);
  ASSERT_GT(cases.size(), 300U);
  int refused = 0;
  for (const json& one : cases) {
    const int steps = one.at("steps"), interval = one.at("interval"), center = one.at("center");
    const double power = one.at("power");
    const auto schedule = [&] { return centered_schedule(steps, interval, center, power, CenteredForm::reference); };
    if (one.at("full").is_null()) {
      EXPECT_EQ(code_of(schedule), "cache_centered") << one;
      ++refused;
    } else {
      EXPECT_EQ(schedule(), one.at("full").get<std::vector<int>>()) << one;
    }
  }
  EXPECT_GT(refused, 0);
}

// The lists that were published with the paper's pictures.
TEST(NonUniformCache, HasThePublishedSchedules) {
  const auto schedule = [](int steps, int interval, int center, double power) {
    return centered_schedule(steps, interval, center, power, CenteredForm::reference);
  };
  EXPECT_EQ(schedule(50, 5, 15, 1.4), (std::vector{0, 5, 9, 13, 17, 21, 26, 31, 37, 43}));
  EXPECT_EQ(schedule(50, 3, 15, 1.3), (std::vector{0, 3, 6, 8, 11, 13, 15, 17, 20, 23, 26, 29, 32, 35, 39, 42, 46}));
  EXPECT_EQ(schedule(250, 20, 120, 1.4), (std::vector{0, 22, 42, 61, 80, 98, 115, 131, 149, 168, 187, 207, 228}));
}

TEST(NonUniformCache, OfThePaperIsAnother) {
  // By hand from equation 7: from -15^(1/1.4) = -6.919 to 35^(1/1.4) = 12.673 in ten parts, the end left out.
  EXPECT_EQ(centered_schedule(50, 5, 15, 1.4, CenteredForm::paper),
            (std::vector{0, 5, 10, 13, 15, 19, 24, 29, 35, 42}));
  EXPECT_EQ(centered_schedule(10, 1, 3, 1.4, CenteredForm::paper), (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(NonUniformCache, IsFullAtItsSteps) {
  EXPECT_EQ(actions_of(std::make_shared<NonUniformCache>(5, 1, 3, 1.4, CenteredForm::reference), 10).front(), 'F');
  std::string expected(50, '1');
  for (const int step : {0, 5, 9, 13, 17, 21, 26, 31, 37, 43}) expected[static_cast<std::size_t>(step)] = 'F';
  EXPECT_EQ(actions_of(std::make_shared<NonUniformCache>(5, 1, 15, 1.4, CenteredForm::reference), 50), expected);
  EXPECT_EQ(code_of([] { NonUniformCache(5, 0, 15, 0, CenteredForm::paper); }), "cache_power");
}

TEST(EncoderPropagation, RunsTheDecoderAloneBetweenKeySteps) {
  EXPECT_EQ(actions_of(std::make_shared<EncoderPropagation>(std::vector<int>{5, 2}), 7), "FeFeeFe");
  EXPECT_EQ(code_of([] { EncoderPropagation({-1}); }), "cache_steps");
}

TEST(EncoderPropagation, TakesTheSkipsAndTheMiddleOfTheLastKeyStep) {
  const auto network = std::make_shared<StandInNetwork>();
  CachedDenoiser denoiser(network, std::make_shared<EncoderPropagation>(std::vector<int>{2}), sigmas(4));
  const auto predictions = run(denoiser, 4);
  // The stand-in's decoder sees nothing of x beside what is reused.
  EXPECT_TRUE(identical(predictions[1], predictions[0]));
  EXPECT_FALSE(identical(predictions[2], predictions[1]));
  EXPECT_TRUE(identical(predictions[3], predictions[2]));
}

class TaylorTrace : public ::testing::TestWithParam<int> {};

TEST_P(TaylorTrace, IsThatOfTheAuthorsCode) {
  const json trace = json::parse(golden().note("taylor")).at(GetParam());
  const int steps = trace.at("steps"), interval = trace.at("interval"), order = trace.at("order");
  const int warm_up = trace.at("warm_up");
  const std::string name = "taylor/" + trace.at("name").get<std::string>();
  const at::Tensor features = golden()[name + "/features"], results = golden()[name + "/results"];
  const auto session = TaylorCache(interval, 1, warm_up, {order}).begin({sigmas(steps), 4});
  std::vector<Point> kept;
  std::vector<at::Tensor> values;
  std::string letters;
  for (int step = 0; step < steps; ++step) {
    Moment moment;
    moment.step = step;
    moment.sigma = steps - step;
    moment.features = {kept};
    const Decision decision = session->decide(moment);
    const bool full = decision.evaluate == Evaluate::full();
    letters += full ? 'F' : 'd';
    if (full) {
      kept.insert(kept.begin(), {step, 0, step, moment.sigma});
      values.insert(values.begin(), features[step]);
      kept.resize(std::min<std::size_t>(kept.size(), static_cast<std::size_t>(order) + 1));
      continue;
    }
    at::Tensor forecast = at::zeros_like(features[step]);
    for (std::size_t i = 0; i < decision.estimate.weights.size(); ++i) {
      forecast = forecast + values[i] * decision.estimate.weights[i];
    }
    // Sums of a few float32 values, taken in another order.
    EXPECT_LT(difference(forecast, results[step]), 1e-5) << name << " at " << step;
  }
  EXPECT_EQ(letters, trace.at("actions"));
}

INSTANTIATE_TEST_SUITE_P(Recorded, TaylorTrace, ::testing::Range(0, 5));

double forecast_of(const std::function<double(double)>& f, const std::vector<double>& points, double at, int order,
                   Forecast::Form form) {
  const std::vector<double> weights = forecast_weights(points, at, order, form);
  double sum = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * f(points[i]);
  return sum;
}

TEST(Forecast, OfNewtonIsExactForPolynomialsOfItsOrder) {
  const std::vector<double> points{7.5, 6.1, 3.0};  // uneven: log-SNR is
  const auto square = [](double t) { return 2 - t + 0.5 * t * t; };
  const auto line = [](double t) { return 2 - t; };
  EXPECT_NEAR(forecast_of(square, points, 9, 2, Forecast::Form::newton), square(9), 1e-12);
  EXPECT_NEAR(forecast_of(line, points, 9, 1, Forecast::Form::newton), line(9), 1e-12);
  EXPECT_NEAR(forecast_of(line, points, 9, 1, Forecast::Form::taylor), line(9), 1e-12);
  // The published series is not: its differences are those at the last point only for a line.
  EXPECT_GT(std::abs(forecast_of(square, points, 9, 2, Forecast::Form::taylor) - square(9)), 0.1);
}

TEST(Forecast, OfOrderZeroIsTheLastValue) {
  EXPECT_EQ(forecast_weights({5, 3}, 9, 0, Forecast::Form::taylor), std::vector<double>{1});
  EXPECT_EQ(forecast_weights({5, 3}, 9, 0, Forecast::Form::newton), std::vector<double>{1});
}

TEST(Forecast, TakesALowerOrderWhereFewPointsAreKnownOrTwoCoincide) {
  for (const auto form : {Forecast::Form::taylor, Forecast::Form::newton}) {
    EXPECT_EQ(forecast_weights({5}, 9, 2, form), std::vector<double>{1});
    EXPECT_EQ(forecast_weights({}, 9, 2, form), std::vector<double>{});
    EXPECT_EQ(forecast_weights({5, 5, 3}, 7, 1, form), (std::vector<double>{2, 0, -1}));
  }
}

TEST(TaylorCache, ForecastsTheFeatureThatTheNetworkGoesOnWith) {
  const auto network = std::make_shared<StandInNetwork>();
  const auto policy = std::make_shared<TaylorCache>(9, 1, 2, Forecast{1});
  CachedDenoiser denoiser(network, policy, sigmas(4));
  const auto predictions = run(denoiser, 4);
  EXPECT_EQ(actions(denoiser), "FF11");
  const std::vector<int> keep{1};
  const at::Tensor h0 = network->evaluate(input(1), {Evaluate::full(), {}, keep}).kept[0];
  const at::Tensor h1 = network->evaluate(input(0.5), {Evaluate::full(), {}, keep}).kept[0];
  const at::Tensor h3 = h1 * 3.0 + h0 * -2.0;  // two steps on
  EXPECT_TRUE(identical(predictions[3], network->evaluate(input(0.25), {Evaluate::deep(1), h3, {}}).prediction));
}

TEST(TaylorCache, RefusesWhatCantBe) {
  EXPECT_EQ(code_of([] { TaylorCache(0, 0, 3, {}); }), "cache_interval");
  EXPECT_EQ(code_of([] { TaylorCache(5, -1, 3, {}); }), "cache_depth");
  EXPECT_EQ(code_of([] { TaylorCache(5, 0, 0, {}); }), "cache_warm_up");
  EXPECT_EQ(code_of([] { TaylorCache(5, 0, 3, {3}); }), "cache_order");
}

/// Answers with recorded outputs, one for each step.
class RecordedNetwork final : public Network {
 public:
  explicit RecordedNetwork(at::Tensor outputs) : outputs_(std::move(outputs)) {}
  int skips() const override { return 4; }
  UNetResult evaluate(const UNetInput& input, const UNetRequest& request) const override {
    UNetResult result;
    result.prediction = outputs_[static_cast<int>(input.timesteps.select(0, 0).item<float>())].clone();
    result.kept.resize(request.keep.size());
    return result;
  }
  Macs macs(Evaluate, const UNetInput&) const override { return {1, 0, 0}; }

 private:
  at::Tensor outputs_;
};

class PublishedTrace : public ::testing::TestWithParam<int> {};

TEST_P(PublishedTrace, IsThatOfTheAuthorsCode) {
  const json trace = json::parse(golden().note("easycache")).at(GetParam());
  const std::string name = "easycache/" + trace.at("name").get<std::string>();
  const at::Tensor inputs = golden()[name + "/inputs"], outputs = golden()[name + "/outputs"];
  const at::Tensor results = golden()[name + "/results"];
  const int steps = trace.at("steps");
  CachedDenoiser denoiser(std::make_shared<RecordedNetwork>(outputs),
                          std::make_shared<PublishedEasyCache>(trace.at("threshold").get<double>(),
                                                               trace.at("warm_up").get<int>(), Target::residual),
                          sigmas(steps));
  for (int step = 0; step < steps; ++step) {
    const UNetInput x{inputs[step], at::ones({1}) * step, at::zeros({1, 2, 6})};
    EXPECT_TRUE(identical(denoiser.evaluate({&x, 1}, 1, {step, 0}).front(), results[step])) << name << " at " << step;
  }
  EXPECT_EQ(actions(denoiser), trace.at("actions"));
}

INSTANTIATE_TEST_SUITE_P(Recorded, PublishedTrace, ::testing::Range(0, 3));

TEST(PublishedEasyCache, RefusesWhatCantBe) {
  EXPECT_EQ(code_of([] { PublishedEasyCache(-0.1, 0, Target::residual); }), "cache_threshold");
  EXPECT_EQ(code_of([] { PublishedEasyCache(0.1, -1, Target::residual); }), "cache_warm_up");
  EXPECT_EQ(code_of([] { PublishedEasyCache(0.1, 1, Target::feature); }), "cache_reuse");
}

TEST(PhaseCache, FollowsAPolicyWithinItsWindowOnly) {
  const auto always = std::make_shared<UniformCache>(100, 1);
  EXPECT_EQ(actions_of(std::make_shared<PhaseCache>(always, 0.0, 1.0), 10), "F111111111");
  EXPECT_EQ(actions_of(std::make_shared<PhaseCache>(always, 0.3, 0.6), 10), "FFF111FFFF");
  EXPECT_EQ(actions_of(std::make_shared<PhaseCache>(always, 0.5, 0.5), 10), "FFFFFFFFFF");
  EXPECT_EQ(code_of([&] { PhaseCache(always, 0.6, 0.3); }), "cache_phase");
  EXPECT_EQ(code_of([&] { PhaseCache(nullptr, 0, 1); }), "cache_policy");
}

TEST(PhaseCache, SaysSoWhereTheModelHasNoSchedule) {
  const auto policy = std::make_shared<PhaseCache>(std::make_shared<UniformCache>(2, 1), 0.2, 1.0);
  EXPECT_EQ(code_of([&] { CachedDenoiser(std::make_shared<StandInNetwork>(), policy, sigmas(3)); }), "cache_schedule");
}

TEST(ChainCache, ReusesWhereEitherSaysSoTheFirstOneFirst) {
  const auto shallow = std::make_shared<PhaseCache>(std::make_shared<UniformCache>(2, 0), 0.5, 1.0);
  const auto deep = std::make_shared<UniformCache>(4, 2);
  EXPECT_EQ(actions_of(std::make_shared<ChainCache>(shallow, deep), 10), "F222F020F0");
  EXPECT_EQ(code_of([&] { ChainCache(deep, nullptr); }), "cache_policy");
}

TEST(ChainCache, ShowsEachPolicyItsOwnDepthsMeasuresAndHistory) {
  Needs one{.depths = {2}, .stages = Stages::shared, .declared_schedule = true};
  one.measures = {{Measure::Space::network, Measure::Part::batch, Measure::Part::batch, Measure::Since::previous}};
  Needs two{.depths = {0, 2}, .targets = {Target::prediction}, .history = 2, .most_reuses = 7};
  two.measures = {Measure{}};
  std::optional<double> previous, computed;
  const auto first = script(one, [&](const Moment& moment) {
    previous = moment.input_change();
    return moment.step == 1 ? Decision::deep(2) : Decision::full();
  });
  const auto second = script(two, [&](const Moment& moment) {
    computed = moment.input_change();
    return moment.step == 3 ? Decision::nothing(Target::prediction) : Decision::full();
  });
  const ChainCache chain(first, second);
  const Needs both = chain.begin({sigmas(5), 4})->needs();
  EXPECT_EQ(both.depths, (std::vector{2, 0}));
  EXPECT_EQ(both.history, 2);
  EXPECT_EQ(both.measures.size(), 2U);
  EXPECT_EQ(both.stages, Stages::own);
  EXPECT_FALSE(both.declared_schedule);
  EXPECT_EQ(both.most_reuses, 7);

  EXPECT_EQ(actions_of(std::make_shared<ChainCache>(first, second), 5), "F2F.F");
  const auto all = [](const std::vector<Moment>& moments) {
    std::vector<std::vector<int>> ages;
    for (const Moment& moment : moments) ages.push_back(moment.age);
    return ages;
  };
  EXPECT_EQ(all(first->moments), (std::vector<std::vector<int>>{{-1}, {1}, {2}, {1}, {2}}));
  EXPECT_EQ(all(second->moments), (std::vector<std::vector<int>>{{-1, -1}, {1, 2}, {1, 1}, {2, 2}}));
  EXPECT_EQ(first->moments.back().features.front().size(), 1U);
  EXPECT_EQ(second->moments.back().features.back().size(), 2U);
  EXPECT_NEAR(*previous, 1.0 / 4 - 1.0 / 5, 1e-6);  // since the step before, which computed nothing
  EXPECT_NEAR(*computed, 1.0 / 3 - 1.0 / 5, 1e-6);
  EXPECT_EQ(first->outcomes.size(), 5U);
  EXPECT_EQ(second->outcomes.size(), 4U);
}

TEST(Policies, SayWhatTheyAre) {
  const auto uniform = std::make_shared<UniformCache>(5, 0);
  EXPECT_EQ(NonUniformCache(5, 0, 15, 1.4, CenteredForm::reference).describe(),
            "non-uniform, interval 5, center 15, power 1.4, depth 0");
  EXPECT_EQ(TaylorCache(5, 0, 3, {2, Forecast::Variable::log_snr, Forecast::Form::newton}).describe(),
            "taylor, interval 5, order 2 in log-SNR (newton), warm-up 3, depth 0");
  EXPECT_EQ(EncoderPropagation({0, 5}).describe(), "encoder propagation, full at 0 5");
  EXPECT_EQ(PhaseCache(uniform, 0.2, 0.8).describe(), "uniform, interval 5, depth 0, in the phase 0.2 to 0.8");
  EXPECT_EQ(ChainCache(uniform, uniform).describe(), "uniform, interval 5, depth 0; then uniform, interval 5, depth 0");
  EXPECT_EQ(EasyCache({}).describe(), "easycache, threshold 0.2, from 0.15 to 0.95");
  EXPECT_EQ(LazyCache({}).describe(), "lazycache, threshold 0.2, from 0.15 to 0.95");
  EXPECT_EQ(WindowedDeepCache(5, 3, 0, 1000).describe(), "deepcache, interval 5, depth 3, steps 0 to 1000 of 1000");
}

// Solvers that ask more than once in a step: what each policy does in steps of two evaluations.
TEST(Policies, KnowTheSecondEvaluationOfAHeunStep) {
  EXPECT_EQ(actions_of(std::make_shared<UniformCache>(2, 0), 4, 2), "FF00FF00");
  EXPECT_EQ(actions_of(std::make_shared<NonUniformCache>(2, 0, 1, 1.2, CenteredForm::paper), 4, 2).substr(0, 2), "FF");
  EXPECT_EQ(actions_of(std::make_shared<EncoderPropagation>(std::vector<int>{2}), 4, 2), "FFeeFFee");
  EXPECT_EQ(actions_of(std::make_shared<TaylorCache>(3, 0, 1, Forecast{}), 4, 2), "FF0000FF");
}

}  // namespace
}  // namespace refrain::diffusion
