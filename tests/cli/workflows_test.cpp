// The workflows that come with Refrain run, with the small model and smaller pictures.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/workspace.hpp"
#include "support/png_picture.hpp"

namespace refrain::testing {
namespace {

/// Those for SD 1.x, each with its twin.
std::vector<std::string> workflow_names() {
  std::vector<std::string> names;
  for (const char* name : {"default", "img2img", "inpainting", "inpainting_model", "outpainting", "hires_fix",
                           "deep_shrink", "tiled_vae", "area_composition", "prompt_schedule", "textual_inversion",
                           "two_stage", "custom_sampling", "batches", "free_u", "v_prediction", "lora"}) {
    names.emplace_back(name);
    names.push_back(std::string(name) + "_deepcache");
  }
  return names;
}

/// Sides a quarter as long, four steps, the second stage from the second one on.
Json made_small(Json workflow) {
  for (auto& [id, node] : workflow.items()) {
    for (auto& [name, value] : node["inputs"].items()) {
      const bool is_length = value.is_number_integer() && value.get<std::int64_t>() >= 32;
      const bool is_side = name == "width" || name == "height" || name == "x" || name == "top" || name == "bottom";
      if (is_side && is_length) value = value.get<std::int64_t>() / 4;
      if (name == "steps") value = 4;
      if ((name == "start_at_step" || name == "end_at_step") && value == 12) value = 2;
      if (name == "feathering") value = 6;
      if (name == "ckpt_name") {
        const bool inpainting = value.get<std::string>().find("inpainting") != std::string::npos;
        value = inpainting ? "small_sd1-inpainting.safetensors" : "small.safetensors";
      }
      if (name == "lora_name") value = "small_lora.safetensors";
      if (name == "tile_size" || name == "overlap") value = name == "overlap" ? 16 : 64;
      if (name == "filename_prefix") value = "picture";
    }
  }
  return workflow;
}

/// A folder whose input holds a picture of 64 x 48 pixels.
void add_example(const Workspace& space) {
  space.run_workflow(small_workflow());
  std::filesystem::create_directories(space.folder / "input");
  std::filesystem::rename(space.folder / "output/picture_00001_.png", space.folder / "input/example.png");
}

/// A safetensors file in the folder of models.
void add_model(const Workspace& space, const std::string& file, const Json& header, const std::vector<float>& numbers) {
  const std::string text = header.dump();
  const std::uint64_t length = text.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += text;
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float));
  space.folder.write("models/" + file, bytes);
}

/// A LoRA of rank 1 for one matrix of the small model.
void add_lora(const Workspace& space) {
  const std::string module = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q";
  constexpr std::size_t kWidth = 192, kHalf = kWidth * sizeof(float);
  add_model(space, "loras/small_lora.safetensors",
            {{module + ".lora_up.weight", {{"dtype", "F32"}, {"shape", {kWidth, 1}}, {"data_offsets", {0, kHalf}}}},
             {module + ".lora_down.weight",
              {{"dtype", "F32"}, {"shape", {1, kWidth}}, {"data_offsets", {kHalf, 2 * kHalf}}}}},
            std::vector<float>(2 * kWidth, 0.1F));
}

/// Two vectors of the small text encoder's width in each embedding.
void add_embeddings(const Workspace& space) {
  constexpr std::size_t kNumbers = 2 * 64;
  std::vector<float> numbers(kNumbers);
  for (std::size_t i = 0; i < kNumbers; ++i) numbers[i] = (static_cast<float>(i * 7 % 11) - 5) / 10;
  for (const char* name : {"my_style", "my_negative"}) {
    add_model(space, "embeddings/" + std::string(name) + ".safetensors",
              {{"emb_params", {{"dtype", "F32"}, {"shape", {2, 64}}, {"data_offsets", {0, kNumbers * sizeof(float)}}}}},
              numbers);
  }
}

/// On the first picture that a run left.
void expect_something_drawn(const Workspace& space) {
  const auto bytes = read_png(space.folder / "output/picture_00001_.png").bytes;
  const auto [least, most] = std::ranges::minmax_element(bytes);
  EXPECT_GT(*most - *least, 32);
}

class ExampleWorkflow : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Files, ExampleWorkflow, ::testing::ValuesIn(workflow_names()),
                         [](const auto& info) { return info.param; });

TEST_P(ExampleWorkflow, MakesAPicture) {
  const Workspace space;
  add_example(space);
  add_embeddings(space);
  add_lora(space);
  const std::string text = read_text(std::string(REFRAIN_TEST_WORKFLOWS) + "/" + GetParam() + ".json");
  const Outcome outcome = space.run_workflow(
      made_small(Json::parse(text)), {"--models", (space.folder / "models").string(), "--models", REFRAIN_TEST_MODELS});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_something_drawn(space);
}

/// Those for the trained models of the repository, which run as they are but for the number of steps.
std::vector<std::string> drawn_names() {
  return {"drawn",        "drawn_deepcache",       "drawn_classes", "drawn_classes_deepcache",
          "drawn_pixels", "drawn_pixels_deepcache"};
}

class DrawnWorkflow : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Files, DrawnWorkflow, ::testing::ValuesIn(drawn_names()),
                         [](const auto& info) { return info.param; });

TEST_P(DrawnWorkflow, MakesAPicture) {
  const Workspace space;
  Json workflow = Json::parse(read_text(std::string(REFRAIN_TEST_WORKFLOWS) + "/" + GetParam() + ".json"));
  for (auto& [id, node] : workflow.items()) {
    for (auto& [name, value] : node["inputs"].items()) {
      if (name == "steps") value = 4;
      if (name == "filename_prefix") value = "picture";
    }
  }
  const Outcome outcome = space.run_workflow(workflow, {"--models", std::string(REFRAIN_TEST_WORKFLOWS) + "/models"});
  ASSERT_EQ(outcome.code, 0) << outcome.errors;
  expect_something_drawn(space);
}

TEST(ExampleWorkflows, AreAllTried) {
  for (const std::string& listed : files_below(REFRAIN_TEST_WORKFLOWS)) {
    const std::filesystem::path file(listed);
    const std::string name = file.stem().string();
    const bool reference = name.starts_with("ddpm_") || name.starts_with("ldm4g_") || name.starts_with("sd15_");
    if (file.extension() != ".json" || file.has_parent_path() || name == "workflow.schema" || reference) continue;
    const auto names = name.starts_with("drawn") ? drawn_names() : workflow_names();
    EXPECT_EQ(std::ranges::count(names, name), 1) << file;
  }
}

}  // namespace
}  // namespace refrain::testing
