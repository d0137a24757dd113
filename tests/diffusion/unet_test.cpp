// The U-Net whole, cut at every depth, and its cost.

#include "golden_vectors.hpp"
#include "models/unet_plan.hpp"
#include "small_model.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/unet.hpp>

#include <array>
#include <future>
#include <numeric>
#include <string>
#include <vector>

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using testing::identical;

// Of max|a - b| over the standard deviation: ComfyUI on two threads is up to 4e-6 from ComfyUI on one.
constexpr double kTolerance = 3e-5;
constexpr int kSkips = 12;

std::vector<int> all_depths() {
  std::vector<int> depths(kSkips);
  std::iota(depths.begin(), depths.end(), 0);
  return depths;
}

UNetInput input_of(const GoldenVectors& golden, const std::string& name) {
  return {golden[name + "latent"], golden[name + "timesteps"], golden[name + "context"]};
}

TEST(UNetEvaluation, EqualsTheReference) {
  const GoldenVectors golden("unet_small.safetensors");
  const auto unet = testing::small_unet();
  for (const std::string name : {"plain/", "square_batch/", "long_text/", "quiet/", "odd/", "one_token/"}) {
    const UNetResult result = unet->evaluate(input_of(golden, name));
    EXPECT_LT(difference(result.prediction, golden[name + "prediction"]), kTolerance) << name;
    EXPECT_TRUE(result.prediction.is_contiguous());
  }
}

TEST(UNetEvaluation, HandsOutTheFeatureOfEveryDepth) {
  const GoldenVectors golden("unet_small.safetensors");
  const std::vector<int> depths = all_depths();
  const UNetResult result = testing::small_unet()->evaluate(input_of(golden, "plain/"), {Evaluate::full(), {}, depths});
  ASSERT_EQ(result.kept.size(), depths.size());
  for (const int k : depths) {
    EXPECT_LT(difference(result.kept[k], golden["plain/feature/" + std::to_string(k)]), kTolerance) << k;
  }
}

TEST(UNetEvaluation, InBfloat16IsWithinItsPrecision) {
  const GoldenVectors golden("unet_small.safetensors");
  const UNetResult result = testing::small_unet(at::kBFloat16)->evaluate(input_of(golden, "square_batch/"));
  EXPECT_EQ(result.prediction.scalar_type(), at::kFloat);  // the latent's
  const double off = difference(result.prediction, golden["square_batch/prediction"]);
  EXPECT_LT(off, 0.1);         // eight bits through a hundred layers
  EXPECT_GT(off, kTolerance);  // it did compute in bfloat16
}

class DeepEvaluation : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  void SetUp() override { unet_ = testing::small_unet(GetParam()); }
  UNetInput a() const { return {golden_["a/latent"], golden_["a/timesteps"], golden_["context"]}; }
  UNetInput b() const { return {golden_["b/latent"], golden_["b/timesteps"], golden_["context"]}; }

  GoldenVectors golden_{"deepcache_small.safetensors"};
  std::vector<int> depths_ = all_depths();
  std::unique_ptr<const UNet> unet_;
};

TEST_P(DeepEvaluation, AfterAFullOneOfTheSameInputEqualsItBitForBitAtEveryDepth) {
  const UNetResult full = unet_->evaluate(a(), {Evaluate::full(), {}, depths_});
  for (const int k : depths_) {
    const UNetResult deep = unet_->evaluate(a(), {Evaluate::deep(k), full.kept[k], depths_});
    EXPECT_TRUE(identical(deep.prediction, full.prediction)) << "depth " << k;
    for (const int j : depths_) {
      ASSERT_EQ(deep.kept[j].defined(), j < k) << "depth " << k << " and feature " << j;
      if (j < k) {
        EXPECT_TRUE(identical(deep.kept[j], full.kept[j])) << "depth " << k << " and feature " << j;
      }
    }
  }
}

TEST_P(DeepEvaluation, WithAnothersFeatureDiffersFromTheFullOne) {
  const UNetResult full_a = unet_->evaluate(a(), {Evaluate::full(), {}, depths_});
  const at::Tensor full_b = unet_->evaluate(b()).prediction;
  for (const int k : depths_) {
    const at::Tensor deep = unet_->evaluate(b(), {Evaluate::deep(k), full_a.kept[k], {}}).prediction;
    EXPECT_FALSE(identical(deep, full_b)) << "depth " << k;
    EXPECT_FALSE(identical(deep, full_a.prediction)) << "depth " << k;
  }
}

// Deep(k) with a's h_k on b, cut once more: going on from the next feature that it hands out, with b's own shallower
// units, ends in the same prediction. So every unit is used as it is in Deep(k), and none twice.
TEST_P(DeepEvaluation, IsTheNetworkCutAndGoneOnFromTheNextShallowerFeature) {
  const UNetResult full_a = unet_->evaluate(a(), {Evaluate::full(), {}, depths_});
  for (int k = 1; k < kSkips; ++k) {
    const UNetResult spliced = unet_->evaluate(b(), {Evaluate::deep(k), full_a.kept[k], depths_});
    const UNetResult rest = unet_->evaluate(b(), {Evaluate::deep(k - 1), spliced.kept[k - 1], {}});
    EXPECT_TRUE(identical(rest.prediction, spliced.prediction)) << "depth " << k;
  }
}

TEST_P(DeepEvaluation, OfTheDecoderOnItsOwnEncodersOutputsEqualsTheFullOneBitForBit) {
  const UNetResult full = unet_->evaluate(a(), {.keep = depths_, .keep_encoder = true});
  ASSERT_EQ(full.encoder.skips.size(), depths_.size());
  EXPECT_TRUE(identical(full.encoder.middle, full.kept.back()));
  const UNetResult decoder =
      unet_->evaluate(a(), {.evaluate = Evaluate::encoder_reused(), .keep = depths_, .encoder = &full.encoder});
  EXPECT_TRUE(identical(decoder.prediction, full.prediction));
  for (const int k : depths_) {
    ASSERT_EQ(decoder.kept[k].defined(), k < kSkips - 1) << k;
    if (k < kSkips - 1) {
      EXPECT_TRUE(identical(decoder.kept[k], full.kept[k])) << k;
    }
  }
}

TEST_P(DeepEvaluation, OfTheDecoderSeesTheNewTimeStepAndTheOldPicture) {
  const UNetResult full = unet_->evaluate(a(), {.keep_encoder = true});
  const auto decoder = [&](const UNetInput& input) {
    return unet_->evaluate(input, {.evaluate = Evaluate::encoder_reused(), .encoder = &full.encoder}).prediction;
  };
  UNetInput other_picture = b();
  other_picture.timesteps = a().timesteps;
  EXPECT_TRUE(identical(decoder(other_picture), full.prediction));
  EXPECT_FALSE(identical(decoder(b()), full.prediction));
}

INSTANTIATE_TEST_SUITE_P(InEachType, DeepEvaluation, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& info) { return std::string(c10::toString(info.param)); });

TEST(DeepEvaluationOfAnotherInput, EqualsTheReferenceCutAndSplicedByHand) {
  const GoldenVectors golden("deepcache_small.safetensors");
  const auto unet = testing::small_unet();
  const UNetInput b{golden["b/latent"], golden["b/timesteps"], golden["context"]};
  for (const int k : all_depths()) {
    const std::string depth = std::to_string(k);
    const UNetResult result = unet->evaluate(b, {Evaluate::deep(k), golden["a/feature/" + depth], {}});
    EXPECT_LT(difference(result.prediction, golden["b/deep/" + depth]), kTolerance) << "depth " << k;
  }
}

TEST(DeepEvaluationOfOddSizes, EqualsTheFullOneBitForBit) {
  const GoldenVectors golden("unet_small.safetensors");
  const auto unet = testing::small_unet();
  const std::vector<int> depths = all_depths();
  const UNetResult full = unet->evaluate(input_of(golden, "odd/"), {Evaluate::full(), {}, depths});
  for (const int k : depths) {
    const UNetResult deep = unet->evaluate(input_of(golden, "odd/"), {Evaluate::deep(k), full.kept[k], {}});
    EXPECT_TRUE(identical(deep.prediction, full.prediction)) << "depth " << k;
  }
}

TEST(UNetEvaluation, MayBeCalledFromSeveralThreads) {
  const GoldenVectors golden("unet_small.safetensors");
  const auto unet = testing::small_unet();
  const at::Tensor expected = unet->evaluate(input_of(golden, "plain/")).prediction;
  std::vector<std::future<at::Tensor>> results;
  for (int i = 0; i < 3; ++i) {
    results.push_back(
        std::async(std::launch::async, [&] { return unet->evaluate(input_of(golden, "plain/")).prediction; }));
  }
  for (auto& result : results) EXPECT_LT(difference(result.get(), expected), kTolerance);
}

TEST(UNetEvaluation, RefusesWhatItCannotCompute) {
  const GoldenVectors golden("unet_small.safetensors");
  const auto unet = testing::small_unet();
  const UNetInput input = input_of(golden, "plain/");
  const auto with = [&](auto change) {
    UNetInput changed = input;
    change(changed);
    return changed;
  };
  EXPECT_THROW(unet->evaluate(with([](UNetInput& x) { x.latent = at::zeros({1, 3, 8, 12}); })), ShapeError);
  EXPECT_THROW(unet->evaluate(with([](UNetInput& x) { x.latent = at::zeros({1, 4, 0, 12}); })), ShapeError);
  EXPECT_THROW(unet->evaluate(with([](UNetInput& x) { x.timesteps = at::zeros({2}); })), ShapeError);
  EXPECT_THROW(unet->evaluate(with([](UNetInput& x) { x.context = at::zeros({1, 77, 768}); })), ShapeError);
  EXPECT_THROW(unet->evaluate(with([](UNetInput& x) { x.context = at::Tensor(); })), ShapeError);
  EXPECT_THROW(unet->evaluate(input, {Evaluate::deep(kSkips), at::zeros({1, 192, 1, 2}), {}}), ShapeError);
  EXPECT_THROW(unet->evaluate(input, {Evaluate::deep(-1), at::zeros({1, 64, 8, 12}), {}}), ShapeError);
  EXPECT_THROW(unet->evaluate(input, {Evaluate::deep(0), {}, {}}), ShapeError);
  EXPECT_THROW(unet->evaluate(input, {Evaluate::deep(0), at::zeros({2, 64, 8, 12}), {}}), ShapeError);
  EXPECT_THROW(unet->evaluate(input, {Evaluate::encoder_reused(), {}, {}}), ShapeError);
  EncoderOutput other = unet->evaluate(input, {.keep_encoder = true}).encoder;
  for (at::Tensor& skip : other.skips) skip = at::cat({skip, skip});
  EXPECT_THROW(unet->evaluate(input, {.evaluate = Evaluate::encoder_reused(), .encoder = &other}), ShapeError);
  other.skips.pop_back();
  EXPECT_THROW(unet->evaluate(input, {.evaluate = Evaluate::encoder_reused(), .encoder = &other}), ShapeError);
  EXPECT_THROW(unet->evaluate(input, {Evaluate::nothing(), {}, {}}), ModelError);
}

TEST(UNetSizes, RefusesSizesThatMakeNoNetwork) {
  const auto with = [](auto change) {
    UNetConfig config;
    change(config);
    return config;
  };
  EXPECT_THROW(plan_unet(with([](UNetConfig& c) { c.channel_mult.clear(); })), ModelError);
  EXPECT_THROW(plan_unet(with([](UNetConfig& c) { c.model_channels = 20; })), ModelError);
  EXPECT_THROW(plan_unet(with([](UNetConfig& c) { c.res_blocks = 0; })), ModelError);
  EXPECT_THROW(heads_for(with([](UNetConfig& c) { c.heads = 3; }), 320), ModelError);
  EXPECT_THROW(heads_for(with([](UNetConfig& c) { c.head_channels = 64; }), 96), ModelError);
  EXPECT_EQ(heads_for(with([](UNetConfig& c) { c.head_channels = 64; }), 640), 10);
}

// 338.83 G were published for the full network; the others are rounded to a tenth in the table.
TEST(UNetCost, OfStableDiffusionEqualsDeepCachesTable) {
  constexpr std::array kModule{20.7, 57.3, 98.1, 132.7};  // depths 0 to 3, in G
  const UNetConfig config;
  const Macs full = macs_of(config, Evaluate::full(), 64, 64, 77);
  EXPECT_NEAR(full.module / 1e9, 338.83, 0.005);
  EXPECT_NEAR(full.attention / 1e9, 63.03, 0.005);
  for (int k = 0; k < 4; ++k) {
    EXPECT_NEAR(macs_of(config, Evaluate::deep(k), 64, 64, 77).module / 1e9, kModule[k], 0.051) << "depth " << k;
  }
  EXPECT_NEAR(macs_of(config, Evaluate::encoder_reused(), 64, 64, 77).module / 1e9, 233.3, 0.051);
  EXPECT_EQ(macs_of(config, Evaluate::nothing(), 64, 64, 77).total(), 0);
}

TEST(UNetCost, GrowsWithDepthAndStaysBelowTheFullOne) {
  const UNetConfig config;
  double shallower = 0;
  for (int k = 0; k < kSkips; ++k) {
    const double total = macs_of(config, Evaluate::deep(k), 64, 64, 77).total();
    EXPECT_GT(total, shallower);
    shallower = total;
  }
  EXPECT_LT(shallower, macs_of(config, Evaluate::full(), 64, 64, 77).total());
}

// The table's other networks, whose sizes this one description must be able to hold.
TEST(UNetCost, OfOtherFamiliesEqualsDeepCachesTable) {
  UNetConfig ldm;
  ldm.in_channels = ldm.out_channels = 3;
  ldm.model_channels = 192;
  ldm.channel_mult = {1, 2, 3, 5};
  ldm.transformer_depth = {0, 1, 1, 1};
  ldm.heads = 1;
  ldm.context_dim = 512;
  EXPECT_NEAR(macs_of(ldm, Evaluate::full(), 64, 64, 1).module / 1e9, 99.86, 0.0075);
  EXPECT_NEAR(macs_of(ldm, Evaluate::deep(0), 64, 64, 1).module / 1e9, 4.43, 0.005);
  UNetConfig xl;
  xl.channel_mult = {1, 2, 4};
  xl.transformer_depth = {0, 2, 10};
  xl.middle_transformer_depth = 10;
  xl.head_channels = 64;
  xl.context_dim = 2048;
  // Without the label embedding (2816 -> 1280 -> 1280), which this network has besides.
  constexpr double kLabels = (2816.0 + 1) * 1280 + (1280.0 + 1) * 1280;
  EXPECT_NEAR((macs_of(xl, Evaluate::full(), 128, 128, 77).module + kLabels) / 1e9, 2989.8, 0.051);
  EXPECT_NEAR((macs_of(xl, Evaluate::deep(1), 128, 128, 77).module + kLabels) / 1e9, 128.0, 0.051);
}

TEST(UNetCost, OfALoadedNetworkIsThatOfItsSizes) {
  const auto unet = testing::small_unet();
  EXPECT_EQ(unet->skips(), kSkips);
  EXPECT_EQ(unet->macs(Evaluate::deep(2), 8, 12, 77).total(),
            macs_of(unet->config(), Evaluate::deep(2), 8, 12, 77).total());
}

}  // namespace
}  // namespace refrain::diffusion
