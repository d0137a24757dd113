// Recognising LDM-4-G and DDPM, and loading them whole.

#include "families/ddpm.hpp"
#include "families/ddpm_diffusers.hpp"
#include "families/ldm4g.hpp"
#include "family_layouts.hpp"
#include "golden_vectors.hpp"
#include "small_model.hpp"
#include "support/temporary_folder.hpp"

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/text.hpp>

#include <map>
#include <string>

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using ::testing::HasSubstr;
using testing::identical;
using Tensors = std::map<std::string, at::Tensor, std::less<>>;

Checkpoint load(const std::filesystem::path& file) {
  return load_checkpoint(file, {{at::kCPU, at::kFloat}, at::kFloat, REFRAIN_TEST_VOCABULARY});
}

Tensors tensors_of(const std::string& family) {
  const auto source = open_safetensors(testing::small_checkpoint(family));
  Tensors tensors;
  for (const auto& [name, info] : source->tensors()) tensors[name] = source->tensor(name);
  return tensors;
}

/// Replaces every `from` in a text.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// diffusers' name of a tensor of the small CIFAR-10 network in ermongroup's names, written down independently of the
/// code under test: src/diffusers/models/unets/unet_2d.py.
std::string diffusers_name(std::string name) {
  const auto level = [&](const std::string& up) {
    for (int i = 0; i < 4; ++i) {
      name = replaced(name, up + "." + std::to_string(i) + ".",
                      up + "_blocks." + std::to_string(up == "up" ? 3 - i : i) + "_.");  // _: not to be found again
    }
  };
  level("down");
  level("up");
  const std::pair<const char*, const char*> parts[] = {{"_.", "."},
                                                       {".block.", ".resnets."},
                                                       {".attn.", ".attentions."},
                                                       {"mid.block_1", "mid_block.resnets.0"},
                                                       {"mid.block_2", "mid_block.resnets.1"},
                                                       {"mid.attn_1", "mid_block.attentions.0"},
                                                       {"temb.dense.0", "time_embedding.linear_1"},
                                                       {"temb.dense.1", "time_embedding.linear_2"},
                                                       {"temb_proj", "time_emb_proj"},
                                                       {"nin_shortcut", "conv_shortcut"},
                                                       {"norm_out", "conv_norm_out"},
                                                       {"downsample.conv", "downsamplers.0.conv"},
                                                       {"upsample.conv", "upsamplers.0.conv"}};
  for (const auto& [from, to] : parts) name = replaced(name, from, to);
  if (name.find("attentions.") == std::string::npos) return name;
  const std::pair<const char*, const char*> attention[] = {{".norm.", ".group_norm."},
                                                           {".q.", ".to_q."},
                                                           {".k.", ".to_k."},
                                                           {".v.", ".to_v."},
                                                           {".proj_out.", ".to_out.0."}};
  for (const auto& [from, to] : attention) name = replaced(name, from, to);
  return name;
}

std::string older_name(std::string name) {
  const std::pair<const char*, const char*> attention[] = {
      {".to_q.", ".query."}, {".to_k.", ".key."}, {".to_v.", ".value."}, {".to_out.0.", ".proj_attn."}};
  for (const auto& [from, to] : attention) name = replaced(name, from, to);
  return name;
}

class FamilyFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const Tensors& tensors,
                              const std::map<std::string, std::string, std::less<>>& metadata = {}) const {
    write_safetensors(folder_ / "a.safetensors", tensors, metadata);
    return folder_ / "a.safetensors";
  }

  refrain::testing::TemporaryFolder folder_;
};

TEST_F(FamilyFile, Ldm4gIsRecognisedAndItsSizesAreReadFromShapes) {
  const auto source = open_safetensors(testing::small_checkpoint("ldm4g"));
  ASSERT_TRUE(ldm4g::recognise(*source));
  EXPECT_FALSE(ddpm::recognise(*source));
  const ldm4g::Sizes sizes = ldm4g::read_sizes(*source);
  EXPECT_EQ(sizes.unet.style, UNetStyle::ldm);
  EXPECT_EQ(sizes.unet.channel_mult, (std::vector<int>{1, 2, 2, 3}));
  EXPECT_EQ(sizes.unet.transformer_depth, (std::vector<int>{0, 1, 1, 1}));
  EXPECT_EQ(sizes.unet.heads, 1);
  EXPECT_FALSE(sizes.unet.resnet_norms_counted) << "the published 99.82 G are without them";
  EXPECT_EQ(sizes.unet.context_dim, 64);
  EXPECT_EQ(sizes.autoencoder.codebook, 256);
  EXPECT_EQ(sizes.autoencoder.latent_channels, 3);
  EXPECT_EQ(sizes.classes, 1001);
  EXPECT_EQ(sizes.sample_size, 16);
}

TEST_F(FamilyFile, DdpmIsRecognisedAndThePicturesSideFollowsFromTheLevelWithAttention) {
  const auto source = open_safetensors(testing::small_checkpoint("ddpm"));
  ASSERT_TRUE(ddpm::recognise(*source));
  EXPECT_FALSE(ldm4g::recognise(*source));
  const ddpm::Sizes sizes = ddpm::read_sizes(*source);
  EXPECT_EQ(sizes.unet.style, UNetStyle::ddpm);
  EXPECT_EQ(sizes.unet.channel_mult, (std::vector<int>{1, 1, 1, 1, 2, 2}));
  EXPECT_EQ(sizes.unet.transformer_depth, (std::vector<int>{0, 0, 0, 0, 1, 0}));
  EXPECT_EQ(sizes.unet.context_dim, 0);
  EXPECT_EQ(sizes.sample_size, 64);  // the metadata's
  EXPECT_EQ(ddpm::read_sizes(*open_safetensors(write(tensors_of("ddpm")))).sample_size, 256);
  EXPECT_EQ(ddpm::read_sizes(*open_safetensors(write(tensors_of("ddpm-cifar")))).sample_size, 32);
}

TEST_F(FamilyFile, Ldm4gLoadsIntoTheOriginalsParts) {
  const Checkpoint checkpoint = load(testing::small_checkpoint("ldm4g"));
  const Model& model = *checkpoint.model;
  EXPECT_EQ(model.family, "ldm4g");
  EXPECT_EQ(model.latent_channels, 3);
  EXPECT_EQ(model.latent_scale, 1);
  EXPECT_EQ(model.sample_size, 16);
  EXPECT_NEAR(model.schedule->sigma_max(), 83.8225, 1e-4);
  EXPECT_NEAR(model.schedule->sigma_min(), 0.0387589, 1e-7);
  const GoldenVectors vq("vq_small.safetensors");
  EXPECT_TRUE(identical(model.class_embedding[25], vq["class/25"]));
  EXPECT_TRUE(identical(model.class_embedding[1000], vq["class/1000"]));
  EXPECT_LT(difference(checkpoint.vae->autoencoder->decode(vq["plain/latent"]), vq["plain/decoded"]), 3e-5);
  const GoldenVectors golden("ldm4g_small.safetensors");
  const UNetInput input{golden["plain/latent"], golden["plain/timesteps"], golden["plain/context"]};
  EXPECT_LT(difference(model.unet->evaluate(input).prediction, golden["plain/prediction"]), 3e-5);
  EXPECT_THROW(encode_prompt(*checkpoint.clip, "a cat"), ModelError);
}

TEST_F(FamilyFile, DdpmLoadsWithPixelsForLatents) {
  const Checkpoint checkpoint = load(testing::small_checkpoint("ddpm-cifar"));
  const Model& model = *checkpoint.model;
  EXPECT_EQ(model.family, "ddpm");
  EXPECT_EQ(model.latent_channels, 3);
  EXPECT_EQ(model.latent_scale, 1);
  EXPECT_FALSE(model.class_embedding.defined());
  EXPECT_NEAR(model.schedule->sigma_max(), 157.407, 1e-3);
  EXPECT_NEAR(model.schedule->sigma_min(), 0.0100005, 1e-7);
  EXPECT_EQ(checkpoint.vae->autoencoder->downscale(), 1);
}

TEST_F(FamilyFile, TheSameWeightsUnderEveryLayoutGiveTheSamePrediction) {
  const auto unet = testing::small_unet_of("ddpm-cifar");
  const GoldenVectors golden("ddpm_cifar_small.safetensors");
  const UNetInput input{golden["plain/latent"], golden["plain/timesteps"], {}};
  const at::Tensor expected = unet->evaluate(input).prediction;
  const auto expect_equal = [&](auto rename) {
    Tensors renamed;
    for (const auto& [name, tensor] : tensors_of("ddpm-cifar")) renamed[rename(name)] = tensor;
    const Checkpoint checkpoint = load(write(renamed));
    EXPECT_TRUE(identical(checkpoint.model->unet->evaluate(input).prediction, expected)) << renamed.begin()->first;
  };
  expect_equal([](const std::string& name) { return "module." + name; });
  expect_equal([](const std::string& name) { return diffusers_name(name); });
  expect_equal([](const std::string& name) { return older_name(diffusers_name(name)); });
}

TEST_F(FamilyFile, LinearLayersOfDiffusersAttentionAreTheSameAsPointwiseConvolutions) {
  Tensors linear;
  for (const auto& [name, tensor] : tensors_of("ddpm-cifar")) {
    const bool attention = name.find("attn") != std::string::npos && tensor.dim() == 4;
    linear[diffusers_name(name)] = attention ? tensor.flatten(1) : tensor;
  }
  const GoldenVectors golden("ddpm_cifar_small.safetensors");
  const UNetInput input{golden["plain/latent"], golden["plain/timesteps"], {}};
  EXPECT_TRUE(identical(load(write(linear)).model->unet->evaluate(input).prediction,
                        testing::small_unet_of("ddpm-cifar")->evaluate(input).prediction));
}

TEST_F(FamilyFile, AMissingTensorIsNamedAndAMixOfModelsIsRefused) {
  Tensors tensors = tensors_of("ldm4g");
  tensors.erase("model.diffusion_model.output_blocks.2.2.conv.weight");
  EXPECT_THAT([&] { load(write(tensors)); },
              ::testing::ThrowsMessage<ModelError>(HasSubstr("'model.diffusion_model.output_blocks.2.2.conv.weight'")));
  tensors = tensors_of("ldm4g");
  tensors["cond_stage_model.embedding.weight"] = at::zeros({1001, 32});
  EXPECT_THAT([&] { load(write(tensors)); },
              ::testing::ThrowsMessage<ModelError>(HasSubstr("wants classes of width 64, the class table gives 32")));
  tensors = tensors_of("ddpm-cifar");
  tensors.erase("mid.attn_1.q.weight");
  EXPECT_THAT([&] { load(write(tensors)); }, ::testing::ThrowsMessage<ModelError>(HasSubstr("'mid.attn_1.q.weight'")));
}

std::int64_t elements(const Layout& layout, const std::string& prefix) {
  std::int64_t sum = 0;
  for (const auto& [name, shape] : layout) {
    std::int64_t product = name.starts_with(prefix) ? 1 : 0;
    for (const std::int64_t size : shape) product *= size;
    sum += product;
  }
  return sum;
}

// The counts of the published checkpoints.
TEST(RandomCheckpoint, OfTheOtherFamiliesHavePublishedTensors) {
  const Layout ldm4g = plan_checkpoint("ldm4g", true).layout;
  EXPECT_EQ(ldm4g.size(), 894);
  EXPECT_EQ(elements(ldm4g, "model.diffusion_model."), 400'920'579);
  EXPECT_EQ(elements(ldm4g, "first_stage_model."), 55'322'782);
  EXPECT_EQ(elements(ldm4g, ""), 456'755'873);
  const Layout lsun = plan_checkpoint("ddpm", true).layout;
  EXPECT_EQ(lsun.size(), 450);
  EXPECT_EQ(elements(lsun, ""), 113'673'219);
  const Layout cifar = plan_checkpoint("ddpm-cifar", true).layout;
  EXPECT_EQ(cifar.size(), 328);
  EXPECT_EQ(elements(cifar, ""), 35'746'307);
  EXPECT_THROW(plan_checkpoint("sd9", true), ModelError);
}

}  // namespace
}  // namespace refrain::diffusion
