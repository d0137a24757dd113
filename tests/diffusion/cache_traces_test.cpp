// Whole samplers around a cached denoiser: what each evaluation does under a policy that counts steps. Each step is a
// word: F full, 0 depth 0; lower case where it was forced.

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/reference_sampling.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "scripted_policy.hpp"
#include "stand_in_network.hpp"

namespace refrain::diffusion {
namespace {

using namespace testing;

const std::vector<float> kSigmas{14.6F, 9.1F, 5.5F, 2.4F, 0.9F, 0.3F, 0.0F};  // six steps

/// The words of a run's steps, with a space between them.
std::string words_of(const SamplingReport& report) {
  std::string words;
  int step = 0;
  for (const Action& action : report.actions) {
    if (action.step != step) words += ' ';
    EXPECT_TRUE(action.step == step || action.step == step + 1) << "steps follow each other";
    step = action.step;
    const bool full = action.decision.evaluate == Evaluate::full();
    words += full ? (action.forced ? 'f' : 'F') : static_cast<char>('0' + action.decision.evaluate.depth);
  }
  return words;
}

/// A run of a sampler, full at every other step.
std::string trace_of(const Sampler& sampler, const std::vector<float>& sigmas) {
  const auto policy = std::make_shared<UniformCache>(2, 0);
  CachedDenoiser cached(std::make_shared<StandInNetwork>(), policy, {sigmas.begin(), sigmas.end()});
  const Denoiser denoise = [&](const at::Tensor& x, float sigma, Place place) {
    UNetInput input = testing::input(0, x.size(0));
    input.latent = x / std::sqrt(sigma * sigma + 1);
    at::Tensor denoised = x - cached.evaluate({&input, 1}, sigma, place).front() * sigma;
    if (place.unconditional != nullptr) *place.unconditional = denoised;
    return denoised;
  };
  SamplerOptions options;
  options.noise_seed = 3;
  options.noise = make_noise({2, 4, 3, 5}, 3);
  options.latent = at::zeros({2, 4, 3, 5});
  sampler(denoise, options.noise * sigmas.front(), sigmas, options);
  return words_of(cached.report());
}

TEST(Traces, OfOneEvaluationAStepAreTheSchedule) {
  for (const char* name : {"euler", "euler_ancestral", "lms", "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde", "ddpm", "lcm",
                           "ipndm", "ipndm_v", "deis", "res_multistep", "ddim"}) {
    EXPECT_EQ(trace_of(find_sampler(name), kSigmas), "F 0 F 0 F 0") << name;
  }
}

// The step to noise level 0 needs no second evaluation.
TEST(Traces, OfTwoEvaluationsAStepTreatBothAlike) {
  for (const char* name : {"heun", "dpm_2", "dpm_2_ancestral", "dpmpp_2s_ancestral", "dpmpp_sde"}) {
    EXPECT_EQ(trace_of(find_sampler(name), kSigmas), "FF 00 FF 00 FF 0") << name;
  }
}

TEST(Traces, OfThreeEvaluationsAStepTreatAllAlike) {
  EXPECT_EQ(trace_of(find_sampler("heunpp2"), kSigmas), "FFF 000 FFF 000 FF 0");
}

// Whatever a sampler is like: within a step all evaluations are alike, except that a stage's first one is full.
TEST(Traces, OfEverySamplerFollowTheSteps) {
  for (const std::string& name : sampler_names()) {
    if (name == "dpm_adaptive") continue;  // chooses its steps itself
    const std::string words = trace_of(find_sampler(name), kSigmas) + ' ';
    std::map<std::size_t, bool> seen;  // stages
    std::size_t begin = 0;
    for (int step = 0; begin < words.size(); ++step) {
      const std::size_t end = words.find(' ', begin);
      for (std::size_t i = begin; i < end; ++i) {
        const bool first = !std::exchange(seen[i - begin], true);
        const char expected = step % 2 == 0 ? 'F' : first ? 'f' : '0';
        EXPECT_EQ(words[i], expected) << name << ": " << words << " at step " << step;
      }
      begin = end + 1;
    }
  }
}

/// A reference's sampler on six of its own time steps.
std::string reference_trace(ReferenceSampler::Method method, Convention convention, const std::string& rule) {
  ReferenceSampler made;
  made.method = method;
  made.convention = convention;
  made.schedule = std::make_shared<const NoiseSchedule>(NoiseSchedule::scaled_linear());
  const std::vector<int> steps = reference_timesteps(rule, 6, 1000);
  const at::Tensor sigmas = reference_sigmas(*made.schedule, steps, usual_final_alpha(rule));
  const float* first = sigmas.const_data_ptr<float>();
  return trace_of({"reference", made}, {first, first + sigmas.numel()});
}

// "ldm uniform" and "ermongroup uniform" take seven steps where six don't divide the thousand.
TEST(Traces, OfTheReferencesCountStepsAlsoWhereTheFirstHasTwoEvaluations) {
  using enum ReferenceSampler::Method;
  EXPECT_EQ(reference_trace(ddim, Convention::ldm, "ldm uniform"), "F 0 F 0 F 0 F");
  EXPECT_EQ(reference_trace(ddim, Convention::ermongroup, "ermongroup quad"), "F 0 F 0 F 0");
  EXPECT_EQ(reference_trace(ddim, Convention::diffusers, "diffusers trailing"), "F 0 F 0 F 0");
  EXPECT_EQ(reference_trace(plms, Convention::ldm, "ldm uniform"), "FF 0 F 0 F 0 F");
  EXPECT_EQ(reference_trace(plms, Convention::diffusers, "diffusers leading"), "FF 0 F 0 F 0");
  EXPECT_EQ(reference_trace(ddpm, Convention::ermongroup, "ermongroup uniform"), "F 0 F 0 F 0 F");
  EXPECT_EQ(reference_trace(ddpm, Convention::diffusers, "diffusers leading"), "F 0 F 0 F 0");
}

}  // namespace
}  // namespace refrain::diffusion
