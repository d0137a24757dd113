// The networks of LDM-4-G and DDPM against the original implementations (CompVis latent-diffusion, ermongroup ddim) on
// the same random weights: whole, block by block, and with DeepCache at every depth.
//
// Tolerances are of max|a - b| over the standard deviation. The originals on two threads are up to 5e-6 from themselves
// on one; other kernels (packed, fused) sum in another order: a few times that.

#include "golden_vectors.hpp"
#include "models/timestep_embedding.hpp"
#include "small_model.hpp"

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/unet.hpp>

#include <algorithm>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using testing::identical;

constexpr double kModule = 1e-5;
constexpr double kModel = 3e-5;

std::string file_of(std::string family, const std::string& suffix) {
  if (family == "ddpm-cifar") family = "ddpm_cifar";
  return family + suffix;
}

bool has(const GoldenVectors& golden, const std::string& name) {
  const std::vector<std::string> found = golden.names(name);
  return std::ranges::find(found, "") != found.end();
}

UNetInput input_of(const GoldenVectors& golden, const std::string& name) {
  const bool has_context = has(golden, name + "context");
  return {golden[name + "latent"], golden[name + "timesteps"], has_context ? golden[name + "context"] : at::Tensor()};
}

std::vector<int> all_depths(const UNet& unet) {
  std::vector<int> depths(static_cast<std::size_t>(unet.skips()));
  std::iota(depths.begin(), depths.end(), 0);
  return depths;
}

class Networks : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Of, Networks, ::testing::Values("ldm4g", "ddpm", "ddpm-cifar"), [](const auto& info) {
  return info.param == "ddpm-cifar" ? std::string("ddpm_cifar") : std::string(info.param);
});

TEST_P(Networks, EqualTheOriginalForEverySizeAndBatch) {
  const GoldenVectors golden(file_of(GetParam(), "_small.safetensors"));
  const auto unet = testing::small_unet_of(GetParam());
  EXPECT_EQ(unet->skips(), std::stoi(golden.note("skips")));
  int cases = 0;
  for (const std::string name : {"plain/", "batch/", "three_tokens/", "quiet/", "square/", "wide/"}) {
    if (golden.names(name).empty()) continue;
    ++cases;
    EXPECT_LT(difference(unet->evaluate(input_of(golden, name)).prediction, golden[name + "prediction"]), kModel)
        << name;
  }
  EXPECT_GE(cases, 4);
}

TEST_P(Networks, HandOutTheFeatureOfEveryDepth) {
  const GoldenVectors golden(file_of(GetParam(), "_small.safetensors"));
  const auto unet = testing::small_unet_of(GetParam());
  const std::vector<int> depths = all_depths(*unet);
  const UNetResult result = unet->evaluate(input_of(golden, "plain/"), {Evaluate::full(), {}, depths});
  for (const int k : depths) {
    const std::string name = "plain/feature/" + std::to_string(k);
    if (!has(golden, name)) continue;
    EXPECT_LT(difference(result.kept[k], golden[name]), kModel) << k;
  }
}

TEST_P(Networks, CutAtEveryDepthAfterAFullEvaluationEqualItBitForBit) {
  const GoldenVectors golden(file_of(GetParam(), "_deepcache_small.safetensors"));
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const auto unet = testing::small_unet_of(GetParam(), dtype);
    const UNetInput a = input_of(golden, "a/");
    const std::vector<int> depths = all_depths(*unet);
    const UNetResult full = unet->evaluate(a, {Evaluate::full(), {}, depths});
    for (const int k : depths) {
      const UNetResult deep = unet->evaluate(a, {Evaluate::deep(k), full.kept[k], {}});
      EXPECT_TRUE(identical(deep.prediction, full.prediction)) << "depth " << k;
    }
  }
}

// Among them every branch that DeepCache's own forks have: the generator holds its splice to them, bit for bit.
TEST_P(Networks, CutAndSplicedWithAnothersFeatureEqualTheOriginalSplicedByHand) {
  const GoldenVectors golden(file_of(GetParam(), "_deepcache_small.safetensors"));
  const auto unet = testing::small_unet_of(GetParam());
  const UNetInput a = input_of(golden, "a/"), b = input_of(golden, "b/");
  const std::vector<int> depths = all_depths(*unet);
  const UNetResult full = unet->evaluate(a, {Evaluate::full(), {}, depths});
  EXPECT_LT(difference(full.prediction, golden["a/prediction"]), kModel);
  EXPECT_LT(difference(unet->evaluate(b).prediction, golden["b/prediction"]), kModel);
  for (const int k : depths) {
    const std::string depth = std::to_string(k);
    const at::Tensor feature = has(golden, "a/feature/" + depth) ? golden["a/feature/" + depth] : full.kept[k];
    const UNetResult deep = unet->evaluate(b, {Evaluate::deep(k), feature, {}});
    EXPECT_LT(difference(deep.prediction, golden["b/deep/" + depth]), kModel) << "depth " << k;
    EXPECT_GT(difference(deep.prediction, golden["b/prediction"]), 10 * kModel) << "depth " << k;
  }
}

TEST(DdpmNetwork, TimestepSinusoidsAreSinesThenCosines) {
  const GoldenVectors golden("ddpm_small.safetensors");
  EXPECT_TRUE(
      identical(timestep_sinusoids(golden["sinusoids/input"], 128, UNetStyle::ddpm), golden["sinusoids/output"]));
}

TEST(DdpmNetwork, TimestepSinusoidsOfDiffusersAreRoundedAsThere) {
  const GoldenVectors golden("ddpm_small.safetensors");
  const at::Tensor& expected = golden["sinusoids/diffusers"];
  const at::Tensor made = timestep_sinusoids(golden["sinusoids/input"], 128, UNetStyle::ddpm, Frequencies::diffusers);
  EXPECT_TRUE(identical(made, expected));
  EXPECT_FALSE(identical(expected, golden["sinusoids/output"]));
}

TEST(DdpmNetwork, TakesNoContext) {
  const auto unet = testing::small_unet_of("ddpm-cifar");
  const UNetInput bare{at::zeros({1, 3, 16, 16}), at::zeros({1}), {}};
  const UNetInput with_context{at::zeros({1, 3, 16, 16}), at::zeros({1}), at::zeros({1, 1, 1})};
  EXPECT_TRUE(identical(unet->evaluate(bare).prediction, unet->evaluate(with_context).prediction));
}

TEST(DdpmNetwork, RoundsOddSidesDownAndCountsThemSo) {
  const auto unet = testing::small_unet_of("ddpm-cifar");
  const UNetResult odd = unet->evaluate({at::zeros({1, 3, 17, 25}), at::zeros({1}), {}});
  EXPECT_EQ(odd.prediction.sizes(), at::IntArrayRef({1, 3, 17, 25}));
  EXPECT_LT(unet->macs(Evaluate::full(), 17, 25, 0).module, unet->macs(Evaluate::full(), 18, 26, 0).module);
}

TEST(VqAutoencoder, EqualsTheOriginalAndQuantisesBeforeItDecodes) {
  const GoldenVectors golden("vq_small.safetensors");
  const auto autoencoder = testing::small_vq_autoencoder();
  EXPECT_EQ(autoencoder->downscale(), 4);
  for (const std::string name : {"plain", "batch"}) {
    const at::Tensor latent = golden[name + "/latent"];
    EXPECT_LT(difference(autoencoder->decode(latent), golden[name + "/decoded"]), kModule) << name;
    EXPECT_LT(difference(autoencoder->decode(golden[name + "/quantised"]), golden[name + "/decoded"]), kModule) << name;
    EXPECT_LT(
        difference(autoencoder->encode(golden["encode/" + name + "/pixels"]), golden["encode/" + name + "/latent"]),
        kModule)
        << name;
  }
}

// z + (e - z), which is not e to the bit.
TEST(VqAutoencoder, MovesEveryPlaceToTheNearestEntryInTheReferencesArithmetic) {
  const GoldenVectors golden("vq_small.safetensors");
  const auto source = open_safetensors(testing::small_checkpoint("ldm4g"));
  const at::Tensor codebook = source->tensor("first_stage_model.quantize.embedding.weight").to(at::kFloat);
  for (const std::string name : {"plain", "batch"}) {
    EXPECT_TRUE(identical(quantise(golden[name + "/latent"], codebook), golden[name + "/quantised"])) << name;
  }
}

TEST(PixelAutoencoder, ChangesNothing) {
  const PixelAutoencoder autoencoder;
  const at::Tensor pixels = at::zeros({2, 3, 5, 7}).fill_(0.25);
  EXPECT_EQ(autoencoder.downscale(), 1);
  EXPECT_TRUE(identical(autoencoder.decode(pixels), pixels));
  EXPECT_TRUE(identical(autoencoder.encode(pixels), pixels));
  EXPECT_THROW(autoencoder.decode(at::zeros({1, 4, 8, 8})), ShapeError);
}

}  // namespace
}  // namespace refrain::diffusion
