// Ten-step runs of the small models by the references' samplers, DeepCache off and on, against the originals' own
// samplers around their own networks (tests/reference/originals/vectors_trajectories.py).

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/reference_sampling.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <map>
#include <string>

#include "golden_vectors.hpp"
#include "small_model.hpp"

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using Method = ReferenceSampler::Method;

// The originals on two threads are up to 4e-6 from themselves on one, in units of the result's standard deviation; the
// sums within convolutions run in another order here, which makes as much again, at every step.
constexpr double kRun = 2e-5;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("reference_runs_small.safetensors");
  return vectors;
}

/// Full at evaluations 0, N, 2N, ...: DeepCache's forks count evaluations, of which PLMS has two in its first step.
class EveryNthEvaluation final : public CachePolicy {
 public:
  EveryNthEvaluation(int interval, int depth) : interval_(interval), depth_(depth) {}
  std::string describe() const override { return "every nth evaluation"; }
  std::unique_ptr<CacheSession> begin(const Run&) const override {
    return std::make_unique<Session>(interval_, depth_);
  }

 private:
  class Session final : public CacheSession {
   public:
    Session(int interval, int depth) : interval_(interval), depth_(depth) {}
    Needs needs() const override {
      Needs needs;
      needs.depths = {depth_};
      needs.stages = Stages::shared;  // the forks count evaluations, the doubled first step's too
      needs.declared_schedule = true;
      return needs;
    }
    Decision decide(const Moment& moment) override {
      return moment.evaluation % interval_ == 0 ? Decision::full() : Decision::deep(depth_);
    }

   private:
    int interval_, depth_;
  };

  int interval_, depth_;
};

std::shared_ptr<const Model> model_of(const std::string& family) {
  static std::map<std::string, std::shared_ptr<const Model>> loaded;
  std::shared_ptr<const Model>& model = loaded[family];
  if (!model) {
    const auto file = family == "sd1" ? testing::small_checkpoint() : testing::small_checkpoint(family);
    model = load_checkpoint(file, {{at::kCPU, at::kFloat}, at::kFloat, REFRAIN_TEST_VOCABULARY}).model;
  }
  return model;
}

struct Plan {
  std::string family;
  Method method = Method::ddim;
  Convention convention = Convention::ldm;
  std::string rule = "ldm uniform";
  at::IntArrayRef shape;
  double eta = 0;
};

SamplingRequest request(const Plan& plan, std::shared_ptr<const CachePolicy> policy = nullptr) {
  Model model = *model_of(plan.family);
  model.cache_policy = std::move(policy);
  ReferenceSampler sampler;
  sampler.method = plan.method;
  sampler.convention = plan.convention;
  sampler.eta = plan.eta;
  sampler.schedule = model.schedule;
  sampler.law = model.noise_law;
  SamplingRequest request;
  request.sampler.name = "reference";
  request.sampler.solve = sampler;
  request.sigmas =
      reference_sigmas(*model.schedule, reference_timesteps(plan.rule, 10, 1000), usual_final_alpha(plan.rule));
  request.seed = std::stoull(golden().note("seed"));
  request.latent = at::zeros(plan.shape);
  request.noise = make_noise(plan.shape, request.seed);
  request.cfg = 1;
  request.positive.resize(1);
  request.positive[0].cross_attention = at::zeros({1, 1, 1});
  request.model = std::make_shared<const Model>(std::move(model));
  return request;
}

SamplingRequest ldm4g_request(double scale, double eta = 0, std::shared_ptr<const CachePolicy> policy = nullptr) {
  SamplingRequest made = request({"ldm4g", Method::ddim, Convention::ldm, "ldm uniform", {2, 3, 8, 8}, eta}, policy);
  const at::Tensor& classes = made.model->class_embedding;
  made.positive[0].cross_attention = at::stack({classes[25], classes[187]}).unsqueeze(1);
  made.negative = made.positive;
  made.negative[0].cross_attention = classes[1000].view({1, 1, -1});
  made.cfg = scale;
  return made;
}

SamplingRequest sd1_request(double scale, std::shared_ptr<const CachePolicy> policy = nullptr) {
  SamplingRequest made = request({"sd1", Method::plms, Convention::ldm, "ldm uniform", {1, 4, 8, 8}, 0}, policy);
  made.positive[0].cross_attention = golden()["sd1/positive"];
  made.negative = made.positive;
  made.negative[0].cross_attention = golden()["sd1/negative"];
  made.cfg = scale;
  return made;
}

SamplingRequest ddpm_request(const std::string& kind, double eta = 0,
                             std::shared_ptr<const CachePolicy> policy = nullptr, Method method = Method::ddim) {
  return request({"ddpm-cifar", method, Convention::ermongroup, "ermongroup " + kind, {1, 3, 16, 16}, eta}, policy);
}

/// The latent as the originals have it, before it is divided by the autoencoder's scale.
at::Tensor scaled(const SamplingRequest& request, const at::Tensor& latent) {
  return latent * request.model->latent_scale;
}

void expect_every_step(SamplingRequest request, const std::string& name) {
  std::vector<at::Tensor> states;
  request.on_step = [&](const StepReport& step) { states.push_back(step.x); };
  const at::Tensor result = scaled(request, sample(request).latent);
  const at::Tensor& expected = golden()[name];
  ASSERT_EQ(expected.size(0), static_cast<std::int64_t>(states.size()) + 1) << name;
  for (std::size_t i = 0; i < states.size(); ++i) {
    EXPECT_LT(difference(states[i], expected[static_cast<std::int64_t>(i)]), kRun) << name << " before step " << i;
  }
  EXPECT_LT(difference(result, expected[-1]), kRun) << name;
}

void expect_result(const SamplingRequest& request, const std::string& name) {
  EXPECT_LT(difference(scaled(request, sample(request).latent), golden()[name]), kRun) << name;
}

TEST(ReferenceRunsOfLdm4g, EqualTheOriginalStepByStep) {
  expect_every_step(ldm4g_request(1.5), "ldm4g/ddim/1.5");
  expect_result(ldm4g_request(1), "ldm4g/ddim/1");
  expect_result(ldm4g_request(1.5, 1), "ldm4g/ddim/1.5/eta1");
}

TEST(ReferenceRunsOfSd1, EqualTheOriginalStepByStep) {
  expect_every_step(sd1_request(7.5), "sd1/plms/7.5");
  expect_result(sd1_request(1), "sd1/plms/1");
}

TEST(ReferenceRunsOfDdpm, EqualTheOriginalStepByStep) {
  expect_every_step(ddpm_request("uniform"), "ddpm/ddim/uniform/0");
  expect_result(ddpm_request("uniform", 1), "ddpm/ddim/uniform/1");
  expect_result(ddpm_request("quad"), "ddpm/ddim/quad/0");
  expect_result(ddpm_request("uniform", 0, nullptr, Method::ddpm), "ddpm/ddpm/uniform");
}

class CachedReferenceRuns : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Every, CachedReferenceRuns, ::testing::Values(2, 3, 5));

TEST_P(CachedReferenceRuns, EqualTheOriginalsAtEveryBranch) {
  const int interval = GetParam();
  const auto name = [&](const std::string& run, int depth) {
    return run + "/uniform/" + std::to_string(interval) + "/" + std::to_string(depth);
  };
  const auto policy = [&](int depth) { return std::make_shared<EveryNthEvaluation>(interval, depth); };
  for (const int depth : {0, 1, 2}) {
    expect_result(ldm4g_request(1.5, 0, policy(depth)), name("ldm4g/ddim/1.5", depth));
    expect_result(sd1_request(7.5, policy(depth)), name("sd1/plms/7.5", depth));
  }
  // Depths 1, 2 and 3 are the branches 0, 1 and 2 of DeepCache's DDPM fork.
  for (const int depth : {0, 1, 2, 3})
    expect_result(ddpm_request("uniform", 0, policy(depth)), name("ddpm/ddim/uniform/0", depth));
}

TEST(ReferenceRunsOfDdpm, ReportTheCostOfWhatTheyDid) {
  const SamplingRequest run = ddpm_request("uniform", 0, std::make_shared<EveryNthEvaluation>(5, 2));
  const SamplingReport report = sample(run).report;
  const auto cost = [&](Evaluate evaluate) { return run.model->unet->macs(evaluate, 16, 16, 1).total(); };
  EXPECT_DOUBLE_EQ(report.macs, 2 * cost(Evaluate::full()) + 8 * cost(Evaluate::deep(2)));
}

}  // namespace
}  // namespace refrain::diffusion
