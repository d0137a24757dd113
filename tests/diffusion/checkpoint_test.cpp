// Loading whole checkpoints, and telling what other files are.

#include "families/layout.hpp"
#include "families/sd1.hpp"
#include "golden_vectors.hpp"
#include "small_model.hpp"
#include "support/temporary_folder.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/text.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion {
namespace {

using ::testing::AllOf;
using testing::difference;
using testing::GoldenVectors;
using ::testing::HasSubstr;

using Tensors = std::map<std::string, at::Tensor, std::less<>>;

/// The small checkpoint's tensors and metadata, to be changed and written again.
struct Contents {
  Tensors tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

Contents small_contents() {
  const auto source = testing::small_source();
  Contents contents{{}, source->metadata()};
  for (const auto& [name, info] : source->tensors()) contents.tensors[name] = source->tensor(name);
  return contents;
}

void rename(Tensors& tensors, const std::string& from, const std::string& to) {
  Tensors renamed;
  for (auto& [name, tensor] : tensors) {
    renamed[name.starts_with(from) ? to + name.substr(from.size()) : name] = tensor;
  }
  tensors = std::move(renamed);
}

class CheckpointFile : public ::testing::Test {
 protected:
  std::filesystem::path write(const Contents& contents) const {
    write_safetensors(folder_ / "a.safetensors", contents.tensors, contents.metadata);
    return folder_ / "a.safetensors";
  }
  std::shared_ptr<const WeightSource> source(const Contents& contents) const {
    return open_safetensors(write(contents));
  }
  static Checkpoint load(const std::filesystem::path& file, at::ScalarType dtype = at::kFloat) {
    return load_checkpoint(file, {{at::kCPU, dtype}, at::kFloat, REFRAIN_TEST_VOCABULARY});
  }
  static std::string problem(const std::filesystem::path& file) {
    try {
      load(file);
    } catch (const ModelError& error) {
      return error.code() + ": " + error.what();
    }
    return {};
  }
  /// What loading tells of a file with tensors of these names.
  std::string problem_of(const std::vector<std::pair<std::string, std::vector<std::int64_t>>>& tensors) const {
    Contents contents;
    for (const auto& [name, shape] : tensors) contents.tensors[name] = at::zeros(shape, at::kHalf);
    return problem(write(contents));
  }

  refrain::testing::TemporaryFolder folder_;
};

TEST_F(CheckpointFile, SizesAreReadFromShapesAndHeadsFromMetadata) {
  const auto small = testing::small_source();
  ASSERT_TRUE(sd1::recognise(*small));
  const sd1::Sizes sizes = sd1::read_sizes(*small);
  EXPECT_EQ(sizes.unet.in_channels, 4);
  EXPECT_EQ(sizes.unet.out_channels, 4);
  EXPECT_EQ(sizes.unet.model_channels, 64);
  EXPECT_EQ(sizes.unet.channel_mult, (std::vector<int>{1, 2, 3, 3}));
  EXPECT_EQ(sizes.unet.transformer_depth, (std::vector<int>{1, 1, 1, 0}));
  EXPECT_EQ(sizes.unet.middle_transformer_depth, 1);
  EXPECT_EQ(sizes.unet.res_blocks, 2);
  EXPECT_EQ(sizes.unet.heads, 8);
  EXPECT_EQ(sizes.unet.head_channels, 0);
  EXPECT_EQ(sizes.unet.context_dim, 64);
  EXPECT_EQ(sizes.clip.width, 64);
  EXPECT_EQ(sizes.clip.layers, 3);
  EXPECT_EQ(sizes.clip.heads, 4);
  EXPECT_EQ(sizes.clip.vocabulary, 49408);
  EXPECT_EQ(sizes.clip.positions, 77);
  EXPECT_EQ(sizes.autoencoder.channels, 32);
  EXPECT_EQ(sizes.autoencoder.channel_mult, (std::vector<int>{1, 2, 4, 4}));
  EXPECT_EQ(sizes.autoencoder.res_blocks, 2);
  EXPECT_EQ(sizes.autoencoder.latent_channels, 4);
  EXPECT_EQ(sizes.autoencoder.embed_channels, 4);
}

TEST_F(CheckpointFile, WithoutMetadataTheHeadsAreTheFamilys) {
  Contents contents = small_contents();
  contents.metadata.clear();
  const sd1::Sizes sizes = sd1::read_sizes(*source(contents));
  EXPECT_EQ(sizes.unet.heads, 8);
  EXPECT_EQ(sizes.clip.heads, 1);  // 64 / 64
}

TEST_F(CheckpointFile, MetadataMayGiveTheWidthOfAHead) {
  Contents contents = small_contents();
  contents.metadata = {{"refrain.unet.head_channels", "32"}};
  EXPECT_EQ(sd1::read_sizes(*source(contents)).unet.head_channels, 32);
  for (const char* bad : {"0", "-1", "eight", "8 ", "", "99999999999"}) {
    contents.metadata = {{"refrain.unet.heads", bad}};
    EXPECT_THROW(sd1::read_sizes(*source(contents)), ModelError) << bad;
  }
}

TEST_F(CheckpointFile, LoadsIntoThePartsThatTheReferenceHas) {
  const Checkpoint checkpoint = load(testing::small_checkpoint());
  EXPECT_EQ(checkpoint.model->family, "sd1");
  EXPECT_EQ(checkpoint.model->latent_channels, 4);
  EXPECT_EQ(checkpoint.model->latent_scale, 0.18215);
  EXPECT_EQ(checkpoint.model->cache_policy, nullptr);
  EXPECT_NEAR(checkpoint.model->schedule->sigma_max(), 14.614641, 1e-5);
  const GoldenVectors golden("unet_small.safetensors");
  const UNetInput input{golden["plain/latent"], golden["plain/timesteps"], golden["plain/context"]};
  EXPECT_LT(difference(checkpoint.model->unet->evaluate(input).prediction, golden["plain/prediction"]), 3e-5);
  const GoldenVectors text("clip_small.safetensors");
  EXPECT_LT(difference(checkpoint.clip->text_model->encode(text["tokens"]), text["last"]), 3e-5);
  EXPECT_NE(checkpoint.clip->tokenizer, nullptr);
  EXPECT_EQ(checkpoint.vae->autoencoder->downscale(), 8);
}

TEST_F(CheckpointFile, ExtraTensorsAreOfNoConsequence) {
  Contents contents = small_contents();
  contents.tensors["betas"] = at::zeros({1000});
  contents.tensors["model_ema.decay"] = at::zeros({});
  contents.tensors["model_ema.diffusion_modelinput_blocks00weight"] = at::zeros({1});
  contents.tensors.erase("cond_stage_model.transformer.text_model.embeddings.position_ids");
  EXPECT_EQ(problem(write(contents)), "");
}

TEST_F(CheckpointFile, OldNamesOfTheTextEncoderAreUnderstood) {
  Contents contents = small_contents();
  rename(contents.tensors, "cond_stage_model.transformer.text_model.", "cond_stage_model.transformer.");
  const Checkpoint checkpoint = load(write(contents));
  const GoldenVectors text("clip_small.safetensors");
  EXPECT_LT(difference(checkpoint.clip->text_model->encode(text["tokens"]), text["last"]), 3e-5);
}

// ComfyUI holds text encoders in float16 even on the CPU: a float32 file gives the same text, and another U-Net.
TEST_F(CheckpointFile, Float32WeightsOfTheTextEncoderAreRoundedToFloat16) {
  Contents contents = small_contents();
  for (auto& [name, tensor] : contents.tensors) {
    if (tensor.is_floating_point()) tensor = tensor.to(at::kFloat).mul_(1 + 1e-5);  // less than half a step of float16
  }
  const Checkpoint changed = load(write(contents));
  const Checkpoint original = load(testing::small_checkpoint());
  const GoldenVectors text("clip_small.safetensors");
  EXPECT_TRUE(testing::identical(changed.clip->text_model->encode(text["tokens"]),
                                 original.clip->text_model->encode(text["tokens"])));
  const GoldenVectors golden("unet_small.safetensors");
  const UNetInput input{golden["plain/latent"], golden["plain/timesteps"], golden["plain/context"]};
  EXPECT_FALSE(testing::identical(changed.model->unet->evaluate(input).prediction,
                                  original.model->unet->evaluate(input).prediction));
}

TEST_F(CheckpointFile, AMissingTensorIsNamed) {
  for (const std::string name : {"model.diffusion_model.output_blocks.5.2.conv.weight",
                                 "cond_stage_model.transformer.text_model.encoder.layers.2.mlp.fc1.bias",
                                 "first_stage_model.decoder.up.3.block.2.conv2.weight"}) {
    Contents contents = small_contents();
    contents.tensors.erase(name);
    EXPECT_THAT(problem(write(contents)), AllOf(HasSubstr("weight_missing: "), HasSubstr("'" + name + "'")));
  }
}

TEST_F(CheckpointFile, ATensorOfAWrongShapeIsNamed) {
  Contents contents = small_contents();
  contents.tensors["model.diffusion_model.middle_block.0.emb_layers.1.weight"] = at::zeros({192, 255});
  EXPECT_THAT(problem(write(contents)),
              AllOf(HasSubstr("weight_shape: "), HasSubstr("[192, 255]"), HasSubstr("[192, 256]")));
}

TEST_F(CheckpointFile, ATextEncoderOfAnotherModelIsRefused) {
  Contents contents = small_contents();
  contents.tensors["cond_stage_model.transformer.text_model.embeddings.token_embedding.weight"] =
      at::zeros({49408, 32});
  EXPECT_THAT(problem(write(contents)), HasSubstr("wants text of width 64, the text encoder gives 32"));
}

constexpr const char* kTokens = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight";
constexpr const char* kVocabulary = "cond_stage_model.tokenizer.vocabulary";

at::Tensor bytes_of(std::string_view text) {
  at::Tensor bytes = at::empty({static_cast<std::int64_t>(text.size())}, at::kByte);
  std::ranges::copy(text, bytes.mutable_data_ptr<std::uint8_t>());
  return bytes;
}

/// The small checkpoint with a text encoder of 516 tokens.
Contents with_few_tokens() {
  Contents contents = small_contents();
  contents.tensors[kTokens] = contents.tensors[kTokens].slice(0, 0, 516).clone();
  return contents;
}

TEST_F(CheckpointFile, BringsItsOwnVocabulary) {
  Contents contents = with_few_tokens();
  contents.tensors[kVocabulary] = bytes_of("#version\na b</w>\nc ab</w>\n");
  const Checkpoint checkpoint = load_checkpoint(write(contents), {{}, at::kFloat, "no/such/file"});
  EXPECT_EQ(checkpoint.clip->tokenizer->encode("cab"), (std::vector<int>{513}));
  EXPECT_EQ(encode_prompt(*checkpoint.clip, "cab ab").cross_attention.size(1), 77);
}

TEST_F(CheckpointFile, AVocabularyThatIsNotTheTextEncodersIsRefused) {
  Contents contents = with_few_tokens();
  EXPECT_THAT(problem(write(contents)), AllOf(HasSubstr("model_config: "), HasSubstr("knows 516 tokens"),
                                              HasSubstr("49408"), HasSubstr(kVocabulary)));
  contents.tensors[kVocabulary] = bytes_of("#version\na b</w>\n");
  EXPECT_THAT(problem(write(contents)), AllOf(HasSubstr("model_config: "), HasSubstr("516"), HasSubstr("has 515")));
}

TEST_F(CheckpointFile, ADamagedVocabularyIsRefused) {
  Contents contents = with_few_tokens();
  contents.tensors[kVocabulary] = bytes_of("#version\nnonsense\n");
  EXPECT_THAT(problem(write(contents)), AllOf(HasSubstr("vocabulary_damaged: "), HasSubstr("a.safetensors")));
  contents.tensors[kVocabulary] = at::zeros({20}, at::kFloat);
  EXPECT_THAT(problem(write(contents)), AllOf(HasSubstr("vocabulary_damaged: "), HasSubstr("uint8")));
}

TEST_F(CheckpointFile, HalfPrecisionOnTheCpuIsRefused) {
  EXPECT_THROW(load(testing::small_checkpoint(), at::kHalf), ModelError);
}

TEST_F(CheckpointFile, OtherFilesAreCalledWhatTheyAre) {
  const std::pair<std::string, std::vector<std::int64_t>> conv{"model.diffusion_model.input_blocks.0.0.weight",
                                                               {8, 4, 3, 3}};
  EXPECT_THAT(problem_of({{"lora_unet_down_blocks_0.lora_up.weight", {1}}}),
              AllOf(HasSubstr("unknown_model_family: "), HasSubstr("a.safetensors"), HasSubstr("a LoRA")));
  EXPECT_THAT(problem_of({conv, {"conditioner.embedders.0.transformer.x", {1}}}), HasSubstr("an SDXL checkpoint"));
  EXPECT_THAT(problem_of({conv, {"cond_stage_model.model.ln_final.bias", {1}}}), HasSubstr("an SD 2.x checkpoint"));
  EXPECT_THAT(problem_of({{"model.diffusion_model.input_blocks.0.0.weight", {8, 9, 3, 3}}}),
              HasSubstr("a U-Net alone"));  // of an inpainting model: no reason to refuse a whole one
  EXPECT_THAT(problem_of({{"model.diffusion_model.input_blocks.0.0.weight", {8, 8, 3, 3}}}),
              HasSubstr("InstructPix2Pix"));
  EXPECT_THAT(problem_of({conv}), HasSubstr("a U-Net alone"));
  EXPECT_THAT(problem_of({conv, {"first_stage_model.x", {1}}}), HasSubstr("without text encoder"));
  EXPECT_THAT(problem_of({conv, {"cond_stage_model.x", {1}}}), HasSubstr("without autoencoder"));
  EXPECT_THAT(problem_of({{"down_blocks.0.x", {1}}, {"time_embedding.linear_1.weight", {1}}}), HasSubstr("diffusers"));
  EXPECT_THAT(problem_of({{"encoder.conv_in.weight", {1}}, {"decoder.conv_in.weight", {1}}}), HasSubstr("(VAE) alone"));
  EXPECT_THAT(problem_of({{"text_model.x", {1}}}), HasSubstr("a text encoder alone"));
  EXPECT_THAT(problem_of({{"control_model.x", {1}}}), HasSubstr("a ControlNet"));
  EXPECT_THAT(problem_of({{"latent_tensor", {1}}}), HasSubstr("LoadLatent"));
  EXPECT_THAT(problem_of({{"something.weight", {1}}}), HasSubstr("its first tensor is 'something.weight'"));
  EXPECT_THAT(problem_of({}), HasSubstr("without tensors"));
}

}  // namespace
}  // namespace refrain::diffusion
