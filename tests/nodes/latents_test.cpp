#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/weights.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

at::Tensor counted(at::IntArrayRef shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return at::arange(count).to(at::kFloat).div_(7.0).view(shape);
}

Value latent(const at::Tensor& samples) { return value(Latent{samples, {}, {}}); }

/// Puts a saved latent where LoadLatent looks.
void move_to_input(const NodeRunner& node, const std::string& name) {
  std::filesystem::rename(node.folder / "output" / name,
                          node.folder / "input" / std::filesystem::path(name).filename());
}

TEST(EmptyLatentImage, IsZerosAtAnEighthOfThePicture) {
  NodeRunner node;
  const auto out =
      node.run("EmptyLatentImage", {{"width", integer(192)}, {"height", integer(131)}, {"batch_size", integer(2)}});
  const at::Tensor& samples = out[0].as<Latent>().samples;
  EXPECT_EQ(samples.sizes().vec(), (std::vector<std::int64_t>{2, 4, 16, 24}));
  EXPECT_EQ(samples.scalar_type(), at::kFloat);
  EXPECT_EQ(samples.abs().max().item<float>(), 0.0F);
}

TEST(EmptyLatentImage, RefusesWhatCannotFitBeforeItIsTried) {
  NodeRunner node;
  node.host.free_bytes = std::uint64_t{64} << 30U;
  try {
    node.run("EmptyLatentImage",
             {{"width", integer(16384)}, {"height", integer(16384)}, {"batch_size", integer(4096)}});
    FAIL() << "256 GiB were made";
  } catch (const NodeError& error) {
    EXPECT_EQ(error.code(), "out_of_memory");
    EXPECT_THAT(error.what(), HasSubstr("4096 empty latents for 16384 x 16384 pixels"));
  }
}

TEST(SaveLatent, WritesComfyUIsFile) {
  NodeRunner node;
  node.run("SaveLatent", {{"samples", latent(counted({1, 4, 2, 3}))}});
  EXPECT_EQ(json_of(node.ui),
            R"({"latents": [{"filename": "ComfyUI_00001_.latent", "subfolder": "latents", "type": "output"}]})");
  EXPECT_THAT(files_below(node.folder / "output"), ElementsAre("latents/ComfyUI_00001_.latent"));
  const auto file = diffusion::open_safetensors(node.folder / "output/latents/ComfyUI_00001_.latent");
  EXPECT_EQ(file->tensors().size(), 2U);
  EXPECT_TRUE(file->tensor("latent_tensor").equal(counted({1, 4, 2, 3})));
  EXPECT_EQ(file->tensors().at("latent_format_version_0").shape, std::vector<std::int64_t>{0});
  EXPECT_EQ(file->metadata().at("prompt"), R"({"1": {"class_type": "Test"}})");
  EXPECT_EQ(file->metadata().at("workflow"), R"({"nodes": []})");
}

TEST(LoadLatent, ReadsBackWhatSaveLatentWroteBitForBit) {
  NodeRunner node;
  node.run("SaveLatent", {{"samples", latent(counted({2, 4, 3, 5}))}});
  move_to_input(node, "latents/ComfyUI_00001_.latent");
  const auto out = node.run("LoadLatent", {{"latent", text("ComfyUI_00001_.latent")}});
  EXPECT_TRUE(out[0].as<Latent>().samples.equal(counted({2, 4, 3, 5})));
}

TEST(LoadLatent, UnscalesFilesWithoutAVersion) {
  NodeRunner node;
  diffusion::write_safetensors(node.folder / "input/old.latent", {{"latent_tensor", at::full({1, 4, 1, 1}, 0.18215F)}});
  const auto out = node.run("LoadLatent", {{"latent", text("old.latent")}});
  // One division in float32: at most one rounding away from 1.
  EXPECT_NEAR(out[0].as<Latent>().samples.max().item<float>(), 1.0F, 6e-8F);
}

TEST(LoadLatent, TakesHalfPrecision) {
  NodeRunner node;
  diffusion::write_safetensors(
      node.folder / "input/half.latent",
      {{"latent_tensor", at::full({1, 4, 1, 1}, 0.5F).to(at::kHalf)}, {"latent_format_version_0", at::empty({0})}});
  EXPECT_EQ(node.run("LoadLatent", {{"latent", text("half.latent")}})[0].as<Latent>().samples.scalar_type(),
            at::kFloat);
}

TEST(LoadLatent, ReadsTheOutputFolderWhereTheNameSaysSo) {
  NodeRunner node;
  node.run("SaveLatent", {{"samples", latent(counted({1, 4, 1, 1}))}, {"filename_prefix", text("x")}});
  EXPECT_THAT(node.validate("LoadLatent", {{"latent", text("x_00001_.latent [output]")}}), IsEmpty());
  const auto out = node.run("LoadLatent", {{"latent", text("x_00001_.latent [output]")}});
  EXPECT_TRUE(out[0].as<Latent>().samples.equal(counted({1, 4, 1, 1})));
}

TEST(LoadLatent, ListsTheLatentFilesOfTheInputFolder) {
  NodeRunner node;
  node.folder.write("input/b.latent", "");
  node.folder.write("input/a.latent", "");
  node.folder.write("input/c.png", "");
  EXPECT_THAT(built_nodes().find("LoadLatent")->schema.inputs[0].list_choices(node.host),
              ElementsAre("a.latent", "b.latent"));
}

TEST(LoadLatent, RefusesNamesThatLeadOutOfItsFolder) {
  NodeRunner node;
  node.folder.write("secret.latent", "x");
  for (const char* name : {"../secret.latent", "../secret.latent [output]", "/etc/passwd", "a/../../secret.latent"}) {
    EXPECT_THAT(node.validate("LoadLatent", {{"latent", text(name)}}), ::testing::SizeIs(1)) << name;
    EXPECT_THROW(node.run("LoadLatent", {{"latent", text(name)}}), NodeError) << name;
  }
}

TEST(LoadLatent, NamesAMissingFile) {
  NodeRunner node;
  EXPECT_THAT(node.validate("LoadLatent", {{"latent", text("none.latent")}}), ElementsAre(HasSubstr("none.latent")));
}

TEST(LoadLatent, RefusesFilesThatHoldNoLatent) {
  NodeRunner node;
  node.folder.write("input/rubbish.latent", "rubbish");
  diffusion::write_safetensors(node.folder / "input/flat.latent", {{"latent_tensor", at::empty({4})}});
  EXPECT_THROW(node.run("LoadLatent", {{"latent", text("rubbish.latent")}}), std::exception);
  EXPECT_THROW(node.run("LoadLatent", {{"latent", text("flat.latent")}}), NodeError);
}

TEST(LoadLatent, NoticesThatItsFileHasChanged) {
  NodeRunner node;
  node.folder.write("input/a.latent", "one");
  const Fingerprint before = node.fingerprint("LoadLatent", {{"latent", text("a.latent")}});
  EXPECT_EQ(node.fingerprint("LoadLatent", {{"latent", text("a.latent")}}), before);
  node.folder.write("input/a.latent", "another");
  EXPECT_NE(node.fingerprint("LoadLatent", {{"latent", text("a.latent")}}), before);
}

}  // namespace
}  // namespace refrain::testing
