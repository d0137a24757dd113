// Whole sampling runs on a GPU, cached and uncached.

#include <ATen/Context.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <memory>
#include <string>
#include <utility>

#include "diffusion/golden_vectors.hpp"
#include "diffusion/small_model.hpp"
#include "gpu/device_under_test.hpp"

namespace refrain::diffusion {
namespace {

using refrain::testing::device_under_test;
using testing::difference;
using testing::GoldenVectors;
using testing::identical;

// Ten steps in float32 without TF32: 1e-3 of the largest value, about 4e-3 of the standard deviation.
constexpr double kRuns = 4e-3;

class RunsOnTheGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    REFRAIN_SKIP_WITHOUT_DEVICE();
    at::globalContext().setAllowTF32CuDNN(false);
    LoadOptions options;
    options.placement = {device_under_test(), at::kFloat};
    options.vocabulary = REFRAIN_TEST_VOCABULARY;
    model_ = load_checkpoint(testing::small_checkpoint(), options).model;
  }

  at::Tensor run(const std::string& sampler, const std::string& scheduler,
                 std::shared_ptr<const CachePolicy> policy = nullptr) const {
    auto model = std::make_shared<Model>(*model_);
    model->cache_policy = std::move(policy);
    SamplingRequest request;
    request.positive = {{golden_["input/positive"], 1.0}};
    request.negative = {{golden_["input/negative"], 1.0}};
    request.cfg = 7.5;
    request.sampler = find_sampler(sampler);
    request.sigmas = ksampler_sigmas(*model->schedule, sampler, scheduler, std::stoi(golden_.note("steps")), 1);
    request.seed = std::stoull(golden_.note("seed"));
    request.latent = golden_["input/one"];
    request.noise = make_noise(request.latent.sizes(), request.seed);
    request.model = std::move(model);
    return sample(request).latent;
  }

  GoldenVectors golden_{"sampling_small.safetensors"};
  std::shared_ptr<const Model> model_;
};

TEST_F(RunsOnTheGpu, EqualTheReference) {
  for (const std::string sampler : {"euler", "euler_ancestral", "dpmpp_2m"})
    EXPECT_LT(difference(run(sampler, "karras"), golden_["guided/" + sampler + "/karras"]), kRuns) << sampler;
}

TEST_F(RunsOnTheGpu, WithAUniformCacheEqualTheReference) {
  for (const int depth : {0, 1, 2}) {
    const std::string name = "uniform/3/" + std::to_string(depth) + "/euler/normal";
    EXPECT_LT(difference(run("euler", "normal", std::make_shared<UniformCache>(3, depth)), golden_[name]), kRuns)
        << name;
  }
}

TEST_F(RunsOnTheGpu, WithACacheOfIntervalOneEqualThoseWithoutBitForBit) {
  const at::Tensor uncached = run("euler", "normal");
  for (const int depth : {0, 5, 11})
    EXPECT_TRUE(identical(run("euler", "normal", std::make_shared<UniformCache>(1, depth)), uncached)) << depth;
}

}  // namespace
}  // namespace refrain::diffusion
