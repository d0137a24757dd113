// refrain models, and what it reads from a file's header.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "apps/cli/model_file.hpp"
#include "cli/workspace.hpp"

namespace refrain::testing {
namespace {

using cli::describe_model_file;
using cli::ModelFile;
using ::testing::HasSubstr;
using ::testing::Not;

/// A safetensors file of these tensors, without their data.
std::string safetensors(const Json& header) {
  std::string text = header.dump();
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(text.size() >> (8 * i) & 0xFFU);
  return length + text;
}

Json tensor(const char* dtype, const std::vector<int>& shape, int bytes) {
  return {{"dtype", dtype}, {"shape", shape}, {"data_offsets", {0, bytes}}};
}

struct Known {
  const char* name;
  Json header;
  const char* family;
};

TEST(ModelFile, IsKnownByItsKeysAndShapes) {
  const char* attention = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight";
  const TemporaryFolder folder;
  for (const Known& known : {
           Known{"sd1",
                 {{attention, tensor("F16", {320, 768}, 9)}, {"first_stage_model.a", tensor("F16", {1}, 2)}},
                 "SD 1.x"},
           Known{"sd2",
                 {{attention, tensor("F16", {320, 1024}, 9)}, {"first_stage_model.a", tensor("F16", {1}, 2)}},
                 "SD 2.x"},
           Known{"sdxl", {{attention, tensor("F16", {640, 2048}, 9)}}, "SDXL U-Net"},
           Known{"small",
                 {{attention, tensor("F16", {64, 64}, 9)},
                  {"cond_stage_model.transformer.text_model.a", tensor("F16", {1}, 2)},
                  {"first_stage_model.a", tensor("F16", {1}, 2)}},
                 "SD 1.x"},
           Known{"ddpm", {{"mid.block_1.norm1.weight", tensor("F32", {256}, 9)}}, "DDPM"},
           Known{"inpaint",
                 {{attention, tensor("F16", {320, 768}, 9)},
                  {"model.diffusion_model.input_blocks.0.0.weight", tensor("F16", {320, 9, 3, 3}, 9)},
                  {"first_stage_model.a", tensor("F16", {1}, 2)}},
                 "SD 1.x inpainting"},
           Known{"vae", {{"decoder.conv_in.weight", tensor("F32", {512, 4, 3, 3}, 9)}}, "VAE"},
           Known{"lora",
                 {{"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_down.weight",
                   tensor("F16", {4, 768}, 9)},
                  {"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k.lora_up.weight",
                   tensor("F16", {320, 4}, 9)}},
                 "LoRA for SD 1.x"},
           Known{"embedding", {{"emb_params", tensor("F32", {2, 768}, 9)}}, "embedding for SD 1.x"},
           Known{"clip", {{"text_model.embeddings.token_embedding.weight", tensor("F16", {49408, 768}, 9)}}, "CLIP-L"},
           Known{"controlnet",
                 {{"control_model.input_hint_block.0.weight", tensor("F16", {16, 3, 3, 3}, 9)},
                  {"control_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight",
                   tensor("F16", {320, 768}, 9)}},
                 "ControlNet for SD 1.x"},
           Known{"other", {{"weight", tensor("F16", {1, 2, 3}, 9)}}, "unknown"},
       }) {
    const ModelFile model =
        describe_model_file(folder.write(known.name + std::string(".safetensors"), safetensors(known.header)));
    EXPECT_EQ(model.family, known.family) << known.name << " " << model.problem;
  }
}

TEST(ModelFile, HasTheTypeOfMostBytes) {
  const TemporaryFolder folder;
  const Json header{{"a", tensor("F32", {1}, 4)}, {"b", tensor("F32", {1}, 4)}, {"c", tensor("BF16", {50}, 100)}};
  const ModelFile model = describe_model_file(folder.write("m.safetensors", safetensors(header)));
  EXPECT_EQ(model.dtype, "bf16");
  EXPECT_EQ(model.bytes, safetensors(header).size());
}

TEST(ModelFile, SaysWhatIsWrongWithADamagedOne) {
  const TemporaryFolder folder;
  for (const std::string& bytes :
       {std::string(), std::string("x"), std::string(8, '\xFF'), std::string("\x02\0\0\0\0\0\0\0[]", 10),
        std::string("\x09\0\0\0\0\0\0\0{}", 10), std::string("\x02\0\0\0\0\0\0\0{\"", 10)}) {
    const ModelFile model = describe_model_file(folder.write("m.safetensors", bytes));
    EXPECT_NE(model.problem, "") << ::testing::PrintToString(bytes);
    EXPECT_EQ(model.family, "unknown");
  }
}

TEST(ModelsCommand, ListsEveryFolderWithFamilyTypeAndSize) {
  const Workspace space;
  const Outcome outcome = space.run({"models"});
  EXPECT_EQ(outcome.code, 0) << outcome.errors;
  EXPECT_THAT(outcome.output,
              ::testing::MatchesRegex("checkpoints\n(  .*\n)*  small.safetensors +SD 1.x +fp16 .*MB\n(.*\n)*"));
}

TEST(ModelsCommand, ReadsComfyUIsListOfFurtherFolders) {
  const Workspace space;
  space.folder.write("elsewhere/loras/mine.safetensors", safetensors({{"a.lora_up.weight", tensor("F16", {1}, 2)}}));
  space.folder.write("extra.yaml", "mine:\n  base_path: elsewhere\n  loras: loras\n");
  const Outcome outcome = space.run({"models", "loras", "--json", "--extra-model-paths-config", "extra.yaml"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  const Json list = Json::parse(outcome.output);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].at("name"), "mine.safetensors");
  EXPECT_EQ(list[0].at("family"), "LoRA");
  EXPECT_EQ(list[0].at("path"), (space.folder / "elsewhere/loras/mine.safetensors").string());
}

TEST(ModelsCommand, ReadsTheListBesideAModelsFolder) {
  const Workspace space;
  space.folder.make("comfy/models");
  space.folder.write("more/vae/v.safetensors",
                     safetensors({{"decoder.conv_in.weight", tensor("F32", {512, 4, 3, 3}, 9)}}));
  space.folder.write("comfy/extra_model_paths.yaml", "a:\n  base_path: ../more\n  vae: vae\n");
  const Outcome outcome = space.run({"models", "vae", "--models", "comfy/models"});
  EXPECT_THAT(outcome.output, HasSubstr("v.safetensors  VAE  fp32"));
}

TEST(ModelsCommand, SaysWhereModelsGoWhenThereAreNone) {
  const Workspace space;
  const Outcome outcome = space.run({"models", "--models", "nothing"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.output, "");
  EXPECT_THAT(outcome.errors, HasSubstr("models/checkpoints/NAME.safetensors"));
}

}  // namespace
}  // namespace refrain::testing
