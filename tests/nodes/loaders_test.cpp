// Files that CheckpointLoaderSimple lists and loads.

#include "diffusion/torch_files.hpp"
#include "nodes/node_runner.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/weights.hpp>

#include <filesystem>
#include <string>

namespace refrain::testing {
namespace {

at::Tensor encode(const Value& clip) {
  const at::Tensor tokens = at::full({1, 77}, 49407, at::kLong);
  return clip.as<diffusion::Clip>().text_model->encode(tokens);
}

TEST(CheckpointLoaderSimple, LoadsTorchCheckpointsOfBothForms) {
  const std::filesystem::path models = REFRAIN_TEST_MODELS;
  const auto small = diffusion::open_weights(models / "checkpoints/small.safetensors");
  diffusion::testing::Tensors tensors;
  for (const auto& [name, info] : small->tensors()) tensors[name] = small->tensor(name);
  NodeRunner node;
  const at::Tensor expected = encode(node.run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}})[1]);
  const std::filesystem::path folder = node.folder.make("models/checkpoints");
  for (const auto& [name, legacy] : {std::pair("zip.ckpt", false), std::pair("legacy.pt", true)}) {
    diffusion::testing::write_torch_checkpoint(folder / name, tensors, {{"refrain.clip.heads", "4"}}, legacy);
    const auto loaded = node.run("CheckpointLoaderSimple", {{"ckpt_name", text(name)}});
    EXPECT_TRUE(at::equal(encode(loaded[1]), expected)) << name;
  }
}

TEST(CheckpointLoaderSimple, ListsTheFilesThatComfyUIListsToo) {
  const NodeRunner node;
  for (const char* name : {"a.ckpt", "a.pt", "a.pt2", "a.bin", "a.pth", "a.safetensors", "a.pkl", "a.sft", "a.txt"}) {
    node.folder.write(std::filesystem::path("models/checkpoints") / name, "");
  }
  const Choices listed = node.host.files_in("checkpoints");
  EXPECT_THAT(listed, ::testing::IsSupersetOf(
                          {"a.ckpt", "a.pt", "a.pt2", "a.bin", "a.pth", "a.safetensors", "a.pkl", "a.sft"}));
  EXPECT_THAT(listed, ::testing::Not(::testing::Contains("a.txt")));
}

}  // namespace
}  // namespace refrain::testing
