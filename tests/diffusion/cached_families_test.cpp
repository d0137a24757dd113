// Caching on the networks of every family, at every depth: what it leaves as it is, what it splices, and what it keeps.

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <c10/core/ScalarType.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "bench/random_source.hpp"
#include "counting_allocator.hpp"
#include "golden_vectors.hpp"
#include "scripted_policy.hpp"
#include "small_model.hpp"

namespace refrain::diffusion {
namespace {

using testing::identical;

std::shared_ptr<const UNet> network_of(const std::string& family, at::ScalarType dtype) {
  if (family == "sd1") return testing::small_unet(dtype);
  return testing::small_unet_of(family, dtype);
}

/// Two samples, other ones at every step.
UNetInput input_of(const UNet& unet, int step) {
  const UNetConfig& config = unet.config();
  const std::int64_t side = config.channel_mult.size() > 4 ? 32 : 16;  // each level halves it
  const at::Tensor latent = make_noise({2, config.in_channels, side, side}, 100 + static_cast<std::uint64_t>(step));
  const at::Tensor context = make_noise({2, 3, std::max(config.context_dim, 1)}, 200);
  return {latent / (1 + step), at::full({2}, 900.0 - 150 * step), context};
}

class CachedFamilies : public ::testing::TestWithParam<std::tuple<std::string, at::ScalarType>> {
 protected:
  const std::shared_ptr<const UNet> unet_ = network_of(std::get<0>(GetParam()), std::get<1>(GetParam()));

  /// Three steps under a policy.
  std::vector<at::Tensor> run(const std::shared_ptr<const CachePolicy>& policy) const {
    CachedDenoiser denoiser(make_network(unet_), policy, testing::sigmas(3));
    std::vector<at::Tensor> predictions;
    for (int step = 0; step < 3; ++step) {
      const UNetInput x = input_of(*unet_, step);
      predictions.push_back(denoiser.evaluate({&x, 1}, 1, {step, 0}).front());
    }
    return predictions;
  }
};

TEST_P(CachedFamilies, OfIntervalOneEqualNoCacheBitForBitAtEveryDepth) {
  const std::vector<at::Tensor> plain = run(nullptr);
  for (int depth = 0; depth < unet_->skips(); ++depth) {
    const std::vector<at::Tensor> cached = run(std::make_shared<UniformCache>(1, depth));
    for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(identical(cached[i], plain[i])) << depth << " " << i;
  }
}

TEST_P(CachedFamilies, ReuseTheFeatureOfTheLastFullStepAtEveryDepth) {
  std::vector<int> depths;
  for (int k = 0; k < unet_->skips(); ++k) depths.push_back(k);
  const UNetResult first = unet_->evaluate(input_of(*unet_, 0), {Evaluate::full(), {}, depths});
  const at::Tensor third = unet_->evaluate(input_of(*unet_, 2)).prediction;
  for (const int k : depths) {
    const std::vector<at::Tensor> cached = run(std::make_shared<UniformCache>(3, k));
    EXPECT_TRUE(identical(cached[0], first.prediction)) << k;
    const at::Tensor& feature = first.kept[static_cast<std::size_t>(k)];
    const at::Tensor by_hand = unet_->evaluate(input_of(*unet_, 2), {Evaluate::deep(k), feature, {}}).prediction;
    EXPECT_TRUE(identical(cached[2], by_hand)) << k;
    EXPECT_FALSE(identical(cached[2], third)) << k;
  }
}

INSTANTIATE_TEST_SUITE_P(Of, CachedFamilies,
                         ::testing::Combine(::testing::Values("sd1", "ldm4g", "ddpm", "ddpm-cifar"),
                                            ::testing::Values(at::kFloat, at::kBFloat16)),
                         [](const auto& info) {
                           std::string name = std::get<0>(info.param) + "_" + c10::toString(std::get<1>(info.param));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

// The outermost level of SD 1.5's U-Net, which alone decides what depth 0 keeps, on its latents of 512 x 512 pixels.
TEST(KeptMemoryOfStableDiffusion, IsFiveMegabytesAndNoMoreAtAnyTime) {
  constexpr std::int64_t kFeature = 2LL * 320 * 64 * 64 * 2;  // both halves of guidance, 16 bits
  static_assert(kFeature == 5242880);
  UNetConfig config;
  config.channel_mult = {1};
  config.transformer_depth = {0};
  config.middle_transformer_depth = 0;
  config.res_blocks = 1;
  using bench::RandomSource;
  const Placement half{at::kCPU, at::kBFloat16};
  const auto unet = std::make_shared<const UNet>(
      config, Weights(std::make_shared<const RandomSource>(config), half, RandomSource::kUNetPath));
  const auto options = at::TensorOptions(at::kBFloat16);
  const UNetInput x{at::randn({2, 4, 64, 64}).to(options), at::full({2}, 500.0), at::randn({2, 77, 768}).to(options)};
  unet->evaluate(x);  // weights are packed at their first use

  testing::CountingAllocator count;
  const std::int64_t before = count.bytes();
  const auto most_of = [&](const std::shared_ptr<const CachePolicy>& policy, std::int64_t kept) {
    CachedDenoiser denoiser(make_network(unet), policy, testing::sigmas(3));
    count.most_since();
    for (int step = 0; step < 3; ++step) {  // full, cached, full again
      denoiser.evaluate({&x, 1}, 1, {step, 0});
      EXPECT_EQ(count.bytes() - before, kept) << step;
    }
    EXPECT_EQ(denoiser.report().peak_kept_bytes, kept);
    return count.most_since() - before;
  };
  const std::int64_t plain = most_of(nullptr, 0);
  const std::int64_t cached = most_of(std::make_shared<UniformCache>(2, 0), kFeature);
  EXPECT_GT(plain, 2 * kFeature) << "the evaluation itself";
  EXPECT_LE(cached, plain + kFeature);
  EXPECT_EQ(count.bytes(), before) << "a run that is over keeps nothing";
}

}  // namespace
}  // namespace refrain::diffusion
