// Modules and whole models on the small checkpoint against ComfyUI's own classes on the same weights.
//
// Tolerances are of max|a - b| over the standard deviation of the reference. ComfyUI on two threads is up to 5e-6 from
// ComfyUI on one; other kernels (packed, fused) sum in another order: a few times that.

#include "families/sd1.hpp"
#include "golden_vectors.hpp"
#include "models/autoencoder_blocks.hpp"
#include "models/spatial_transformer.hpp"
#include "models/timestep_embedding.hpp"
#include "models/unet_units.hpp"
#include "small_model.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>

#include <functional>
#include <string>

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;

constexpr double kModule = 1e-5;
constexpr double kModel = 3e-5;

class Modules : public ::testing::Test {
 protected:
  Weights at(const std::string& path) const { return {source_, {}, path}; }
  /// SiLU of the third row of the time embedding, which the reference fed its resnets.
  at::Tensor silu_of_embedding() const { return at::silu(golden_["time_embed/output"].narrow(0, 2, 1)); }

  /// The module called `path`, on inputs of unit size and of 1/128, where a wrong epsilon of a norm shows.
  void expect_equal(const std::string& path, const std::function<at::Tensor(const at::Tensor&)>& module) const {
    for (const char* scale : {"/unit/", "/small/"}) {
      const at::Tensor input = golden_[path + scale + "input"].contiguous(at::MemoryFormat::ChannelsLast);
      EXPECT_LT(difference(module(input), golden_[path + scale + "output"]), kModule) << path << scale;
    }
  }

  std::shared_ptr<const WeightSource> source_ = testing::small_source();
  GoldenVectors golden_{"modules_small.safetensors"};
};

TEST_F(Modules, TimestepSinusoidsAreCosinesThenSines) {
  for (const int width : {64, 320}) {
    const at::Tensor reference = golden_["timestep_embedding/" + std::to_string(width)];
    EXPECT_LT(difference(timestep_sinusoids(golden_["timestep_embedding/input"], width), reference), 1e-6);
  }
}

TEST_F(Modules, TimeEmbeddingEqualsTheReference) {
  const TimestepEmbedding embed(at("model.diffusion_model.time_embed.0"), at("model.diffusion_model.time_embed.2"), 64,
                                256, UNetStyle::ldm);
  EXPECT_LT(difference(embed(golden_["timestep_embedding/input"], Frequencies::original), golden_["time_embed/output"]),
            kModule);
}

TEST_F(Modules, ResnetsOfTheUNetEqualTheReferenceWithAndWithoutAChangeOfWidth) {
  const ResnetBlock same(at("model.diffusion_model.input_blocks.1.0"), kUNetResnet, 64, 64, 256);
  const ResnetBlock wider(at("model.diffusion_model.input_blocks.4.0"), kUNetResnet, 64, 128, 256);
  expect_equal("model.diffusion_model.input_blocks.1.0",
               [&](const at::Tensor& x) { return same(x, silu_of_embedding()); });
  expect_equal("model.diffusion_model.input_blocks.4.0",
               [&](const at::Tensor& x) { return wider(x, silu_of_embedding()); });
}

TEST_F(Modules, SpatialTransformerEqualsTheReference) {
  const SpatialTransformer transformer(at("model.diffusion_model.input_blocks.1.1"), {64, 8, 64, 1});
  expect_equal("model.diffusion_model.input_blocks.1.1",
               [&](const at::Tensor& x) { return transformer(x, golden_["context"]); });
}

TEST_F(Modules, UNetsDownsamplePadsAllSidesAndUpsampleRepeatsPlaces) {
  const Downsample down(at("model.diffusion_model.input_blocks.3.0.op"), 64, Downsample::Padding::all_sides);
  const Upsample up(at("model.diffusion_model.output_blocks.2.1.conv"), 192);
  expect_equal("model.diffusion_model.input_blocks.3.0", [&](const at::Tensor& x) { return down(x); });
  expect_equal("model.diffusion_model.output_blocks.2.1", [&](const at::Tensor& x) { return up(x, 10, 12); });
}

TEST_F(Modules, HeadOfTheUNetEqualsTheReference) {
  const GroupNorm norm(at("model.diffusion_model.out.0"), 64, 1e-5);
  const Conv2d conv(at("model.diffusion_model.out.2"), 64, 4);
  expect_equal("model.diffusion_model.out", [&](const at::Tensor& x) { return conv(norm.silu(x)); });
}

TEST_F(Modules, PartsOfTheAutoencoderEqualTheReference) {
  const ResnetBlock same(at("first_stage_model.encoder.down.0.block.0"), kAutoencoderResnet, 32, 32, 0);
  const ResnetBlock wider(at("first_stage_model.encoder.down.1.block.0"), kAutoencoderResnet, 32, 64, 0);
  const Downsample down(at("first_stage_model.encoder.down.0.downsample.conv"), 32,
                        Downsample::Padding::right_and_below);
  const PlaceAttention attention(at("first_stage_model.decoder.mid.attn_1"), 128);
  expect_equal("first_stage_model.encoder.down.0.block.0", [&](const at::Tensor& x) { return same(x, {}); });
  expect_equal("first_stage_model.encoder.down.1.block.0", [&](const at::Tensor& x) { return wider(x, {}); });
  expect_equal("first_stage_model.encoder.down.0.downsample", [&](const at::Tensor& x) { return down(x); });
  expect_equal("first_stage_model.decoder.mid.attn_1", [&](const at::Tensor& x) { return attention(x); });
}

TEST(TextEncoder, EqualsTheReferenceAtEveryLayer) {
  const GoldenVectors golden("clip_small.safetensors");
  const auto clip = testing::small_clip();
  EXPECT_LT(difference(clip->encode(golden["tokens"]), golden["last"]), kModel);
  EXPECT_LT(difference(clip->encode(golden["tokens"], -1), golden["layer-1"]), kModel);
  EXPECT_LT(difference(clip->encode(golden["tokens"], -2), golden["layer-2"]), kModel);
  EXPECT_TRUE(testing::identical(clip->encode(golden["tokens"], 1), clip->encode(golden["tokens"], -2)));
}

TEST(TextEncoder, RefusesTokensAndLayersThatItDoesNotHave) {
  const auto clip = testing::small_clip();
  EXPECT_THROW(clip->encode(at::zeros({1, 78}, at::kLong)), ShapeError);
  EXPECT_THROW(clip->encode(at::zeros({77}, at::kLong)), ShapeError);
  EXPECT_THROW(clip->encode(at::zeros({1, 77}, at::kFloat)), ShapeError);
  EXPECT_THROW(clip->encode(at::zeros({1, 77}, at::kLong), 3), ShapeError);
  EXPECT_THROW(clip->encode(at::zeros({1, 77}, at::kLong), -4), ShapeError);
}

TEST(TextEncoder, RefusesIdsOutsideTheVocabulary) {
  const auto clip = testing::small_clip();
  EXPECT_THROW(clip->encode(at::zeros({1, 77}, at::kLong).sub_(1)), ShapeError);
  EXPECT_THROW(clip->encode(at::zeros({1, 77}, at::kLong).add_(49408)), ShapeError);
}

TEST(Autoencoder, DecodesLikeTheReferenceForAnySize) {
  const GoldenVectors golden("vae_small.safetensors");
  const auto autoencoder = testing::small_autoencoder();
  for (const std::string name : {"plain", "batch", "odd"}) {
    EXPECT_LT(difference(autoencoder->decode(golden[name + "/latent"]), golden[name + "/decoded"]), kModel) << name;
  }
}

TEST(Autoencoder, EncodesToTheMeanLikeTheReference) {
  const GoldenVectors golden("vae_small.safetensors");
  const auto autoencoder = testing::small_autoencoder();
  for (const std::string name : {"encode/plain", "encode/batch"}) {
    const at::Tensor pixels = golden[name + "/image"].permute({0, 3, 1, 2}).mul(2).sub(1);
    EXPECT_LT(difference(autoencoder->encode(pixels), golden[name + "/latent"]), kModel) << name;
  }
}

TEST(Autoencoder, DecodesInBfloat16WithinItsPrecision) {
  const GoldenVectors golden("vae_small.safetensors");
  const at::Tensor decoded = testing::small_autoencoder(at::kBFloat16)->decode(golden["plain/latent"]);
  EXPECT_EQ(decoded.scalar_type(), at::kFloat);
  const double off = difference(decoded, golden["plain/decoded"]);
  EXPECT_LT(off, 0.1);     // eight bits through thirty layers
  EXPECT_GT(off, kModel);  // it did compute in bfloat16
}

TEST(Autoencoder, RefusesSizesThatItCannotEncode) {
  const auto autoencoder = testing::small_autoencoder();
  EXPECT_EQ(autoencoder->downscale(), 8);
  EXPECT_THROW(autoencoder->encode(at::zeros({1, 3, 20, 24})), ShapeError);
  EXPECT_THROW(autoencoder->encode(at::zeros({1, 4, 24, 24})), ShapeError);
  EXPECT_THROW(autoencoder->decode(at::zeros({1, 3, 8, 8})), ShapeError);
  EXPECT_THROW(autoencoder->decode(at::zeros({4, 8, 8})), ShapeError);
}

}  // namespace
}  // namespace refrain::diffusion
