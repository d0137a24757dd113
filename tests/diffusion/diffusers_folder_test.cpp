// The same weights in a single file and in a folder as diffusers saves it.

#include "golden_vectors.hpp"
#include "small_model.hpp"
#include "support/temporary_folder.hpp"
#include "torch_files.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace refrain::diffusion {
namespace {

using ::testing::AllOf;
using testing::GoldenVectors;
using ::testing::HasSubstr;
using testing::identical;
using testing::Tensors;

struct FolderName {
  std::string name;  ///< with its component before it
  int rank = 0;
};

/// From names in a single file to those in a folder: what diffusers' own converter says.
std::map<std::string, FolderName> names_of_diffusers() {
  const std::string path = std::string(REFRAIN_TEST_DATA) + "/golden/diffusers_names.txt.gz";
  std::string text(1 << 20, '\0');
  gzFile file = ::gzopen(path.c_str(), "rb");
  const int length = ::gzread(file, text.data(), static_cast<unsigned>(text.size()));
  ::gzclose(file);
  std::istringstream lines(text.substr(0, static_cast<std::size_t>(std::max(length, 0))));
  std::map<std::string, FolderName> names;
  std::string line;
  std::getline(lines, line);  // where it is from
  for (std::string original; lines >> original;) {
    FolderName& found = names[original];
    lines >> found.name >> found.rank;
  }
  return names;
}

/// The small checkpoint's tensors by component, under the names of diffusers.
std::map<std::string, Tensors> small_components() {
  const auto source = testing::small_source();
  std::map<std::string, Tensors> components;
  for (const auto& [original, folder] : names_of_diffusers()) {
    at::Tensor tensor = source->tensor(original);
    while (tensor.dim() > folder.rank) tensor = tensor.squeeze(-1);
    const auto dot = folder.name.find('.');
    components[folder.name.substr(0, dot)][folder.name.substr(dot + 1)] = tensor;
  }
  return components;
}

class DiffusersFolder : public ::testing::Test {
 protected:
  void write_safetensors_file(const std::string& name, const Tensors& tensors) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_safetensors(folder_ / name, tensors);
  }
  void write_configs() const {
    folder_.write("model_index.json", R"({"_class_name": "StableDiffusionPipeline", "unet": ["diffusers", "x"]})");
    folder_.write("unet/config.json", R"({"attention_head_dim": 8, "block_out_channels": [64, 128, 192, 192]})");
    folder_.write("vae/config.json", R"({"latent_channels": 4})");
    folder_.write("text_encoder/config.json", R"({"num_attention_heads": 4, "dropout": 0.0, "bos": null})");
  }
  void write_small(const std::string& variant = "") const {
    auto components = small_components();
    write_safetensors_file("unet/diffusion_pytorch_model" + variant + ".safetensors", components["unet"]);
    write_safetensors_file("vae/diffusion_pytorch_model" + variant + ".safetensors", components["vae"]);
    write_safetensors_file("text_encoder/model" + variant + ".safetensors", components["text_encoder"]);
    write_configs();
  }
  static Checkpoint load(const std::filesystem::path& path) {
    return load_checkpoint(path, {{at::kCPU, at::kFloat}, at::kFloat, REFRAIN_TEST_VOCABULARY});
  }
  std::string problem() const {
    try {
      open_weights(folder_.path());
    } catch (const ModelError& error) {
      return error.code() + ": " + error.what();
    }
    return {};
  }

  refrain::testing::TemporaryFolder folder_;
};

/// All three parts give the same numbers, to the last bit.
void expect_same_results(const Checkpoint& one, const Checkpoint& other) {
  const GoldenVectors unet("unet_small.safetensors");
  const UNetInput input{unet["plain/latent"], unet["plain/timesteps"], unet["plain/context"]};
  EXPECT_TRUE(identical(one.model->unet->evaluate(input).prediction, other.model->unet->evaluate(input).prediction));
  const GoldenVectors text("clip_small.safetensors");
  EXPECT_TRUE(identical(one.clip->text_model->encode(text["tokens"]), other.clip->text_model->encode(text["tokens"])));
  const at::Tensor latent = unet["plain/latent"];
  EXPECT_TRUE(identical(one.vae->autoencoder->decode(latent), other.vae->autoencoder->decode(latent)));
}

TEST_F(DiffusersFolder, HasEveryTensorUnderItsNameInASingleFile) {
  write_small();
  const auto single = testing::small_source();
  const auto source = open_weights(folder_.path());
  EXPECT_EQ(source->tensors().size(), single->tensors().size());
  for (const auto& [name, info] : single->tensors()) {
    ASSERT_TRUE(source->tensors().contains(name)) << name;
    EXPECT_EQ(source->tensors().at(name).shape, info.shape) << name;
    EXPECT_TRUE(at::equal(source->tensor(name), single->tensor(name))) << name;
  }
  EXPECT_EQ(source->metadata().at("refrain.unet.heads"), "8");
  EXPECT_EQ(source->metadata().at("refrain.clip.heads"), "4");
  EXPECT_EQ(source->metadata().at("unet.config.block_out_channels"), "[64,128,192,192]");
}

TEST_F(DiffusersFolder, GivesTheSameResultsAsTheSingleFile) {
  write_small(".fp16");
  expect_same_results(load(folder_.path()), load(testing::small_checkpoint()));
}

TEST_F(DiffusersFolder, OldNamesOfTheAutoencodersAttentionAreUnderstood) {
  auto components = small_components();
  Tensors old;
  for (const auto& [name, tensor] : components["vae"]) {
    std::string renamed = name;
    for (const auto& [now, before] : {std::pair(".to_q.", ".query."), std::pair(".to_k.", ".key."),
                                      std::pair(".to_v.", ".value."), std::pair(".to_out.0.", ".proj_attn.")}) {
      const auto place = renamed.find(now);
      if (place != std::string::npos) renamed.replace(place, std::string(now).size(), before);
    }
    old[renamed] = tensor;
  }
  ASSERT_TRUE(old.contains("decoder.mid_block.attentions.0.proj_attn.weight"));
  write_small();
  write_safetensors_file("vae/diffusion_pytorch_model.safetensors", old);
  expect_same_results(load(folder_.path()), load(testing::small_checkpoint()));
}

TEST_F(DiffusersFolder, TextEncodersWithoutTheirPrefixAreUnderstood) {
  write_small();
  auto components = small_components();
  Tensors bare;
  for (const auto& [name, tensor] : components["text_encoder"])
    bare[name.substr(std::string("text_model.").size())] = tensor;
  write_safetensors_file("text_encoder/model.safetensors", bare);
  EXPECT_EQ(open_weights(folder_.path())->tensors().size(), testing::small_source()->tensors().size());
}

TEST_F(DiffusersFolder, MayHoldPickledWeights) {
  auto components = small_components();
  for (const char* part : {"unet", "vae", "text_encoder"}) std::filesystem::create_directories(folder_ / part);
  testing::write_torch_checkpoint(folder_ / "unet/diffusion_pytorch_model.bin", components["unet"], {});
  testing::write_torch_checkpoint(folder_ / "vae/diffusion_pytorch_model.bin", components["vae"], {}, true);
  testing::write_torch_checkpoint(folder_ / "text_encoder/pytorch_model.bin", components["text_encoder"], {});
  write_configs();
  expect_same_results(load(folder_.path()), load(testing::small_checkpoint()));
}

TEST_F(DiffusersFolder, MayHoldWeightsInShards) {
  write_small();
  std::filesystem::remove(folder_ / "unet/diffusion_pytorch_model.safetensors");
  const Tensors unet = small_components()["unet"];
  std::map<std::string, Tensors> shards;
  nlohmann::json index;
  for (const auto& [name, tensor] : unet) {
    const std::string shard = name < "mid" ? "unet-00001-of-00002.safetensors" : "unet-00002-of-00002.safetensors";
    shards[shard][name] = tensor;
    index["weight_map"][name] = shard;
  }
  ASSERT_EQ(shards.size(), 2);
  for (const auto& [shard, tensors] : shards) write_safetensors_file("unet/" + shard, tensors);
  folder_.write("unet/diffusion_pytorch_model.safetensors.index.json", index.dump());
  expect_same_results(load(folder_.path()), load(testing::small_checkpoint()));
}

TEST_F(DiffusersFolder, TrainedWeightsMayLieBesideTheirAverage) {
  write_safetensors_file("unet/diffusion_pytorch_model.safetensors", {{"conv_in.bias", at::ones({2})}});
  write_safetensors_file("unet/diffusion_pytorch_model.non_ema.safetensors", {{"conv_in.bias", at::zeros({2})}});
  const auto first = [&](std::optional<bool> use_ema) {
    return open_weights(folder_.path(), {use_ema})->tensor("conv_in.bias")[0].item<float>();
  };
  EXPECT_EQ(first(std::nullopt), 1);
  EXPECT_EQ(first(true), 1);
  EXPECT_EQ(first(false), 0);
}

TEST_F(DiffusersFolder, OfAUNetAloneKeepsItsNames) {
  write_safetensors_file("diffusion_pytorch_model.safetensors", {{"conv_in.bias", at::ones({2})}});
  folder_.write("config.json", R"({"norm_eps": 1e-06, "attention_head_dim": null})");
  const auto source = open_weights(folder_.path());
  EXPECT_TRUE(source->tensors().contains("conv_in.bias"));
  EXPECT_EQ(source->metadata().at("unet.config.norm_eps"), "1e-06");
  EXPECT_FALSE(source->metadata().contains("unet.config.attention_head_dim"));
}

TEST_F(DiffusersFolder, WithoutWeightsIsAnErrorThatSaysWhatWasSearchedFor) {
  EXPECT_THAT(problem(), AllOf(HasSubstr("model_file_missing: "), HasSubstr("unet/diffusion_pytorch_model.safetensors"),
                               HasSubstr("model_index.json")));
}

TEST_F(DiffusersFolder, DamagedIndicesAndConfigurationsAreErrors) {
  const std::string index = "unet/diffusion_pytorch_model.safetensors.index.json";
  folder_.write("secret.safetensors", "");
  write_safetensors_file("unet/a.safetensors", {{"x", at::ones({2})}});
  std::filesystem::create_directories(folder_ / "unet/folder");
  const std::pair<std::string, std::string> cases[] = {
      {"", "is empty"},
      {"{", "JSON"},
      {"[]", "list where an object belongs"},
      {"8", "value where an object belongs"},
      {"{}", "no tensors"},
      {R"({"weight_map": {}})", "no tensors"},
      {R"({"weight_map": ["x"]})", "no tensors"},
      {R"({"weight_map": {"x": "../secret.safetensors"}})", "would not be in its folder"},
      {R"({"weight_map": {"x": "/etc/passwd"}})", "would not be in its folder"},
      {R"({"weight_map": {"x": ".."}})", "would not be in its folder"},
      {R"({"weight_map": {"x": ""}})", "would not be in its folder"},
      {R"({"weight_map": {"x": "a\u0000.safetensors"}})", "would not be in its folder"},
      {R"({"weight_map": {"x": "folder"}})", "is a folder"},
      {R"({"weight_map": {"x": "b.safetensors"}})", "model_file_missing"},
      {R"({"weight_map": {"y": "a.safetensors"}})", "'y' is not in 'a.safetensors'"},
      {R"({"weight_map": {"x": "a.safetensors", "x": "a.safetensors"}})", "twice"},
      {R"({"weight_map": )" + std::string(100, '[') + "}", "nested too deep"},
      {"{\"weight_map\": {\"\xFF\": \"a.safetensors\"}}", "JSON"},
  };
  for (const auto& [text, message] : cases) {
    folder_.write(index, text);
    EXPECT_THAT(problem(), HasSubstr(message)) << text;
  }
  folder_.write(index, R"({"weight_map": {"x": "a.safetensors"}})");
  EXPECT_EQ(problem(), "");
  folder_.write("unet/config.json", "{\"a\": 1");
  EXPECT_THAT(problem(), AllOf(HasSubstr("model_config: "), HasSubstr("config.json")));
}

TEST_F(DiffusersFolder, ACheckpointOfTorchGivesTheSameResultsAsSafetensors) {
  Tensors tensors;
  const auto source = testing::small_source();
  for (const auto& [name, info] : source->tensors()) tensors[name] = source->tensor(name);
  const Checkpoint single = load(testing::small_checkpoint());
  for (const bool legacy : {false, true}) {
    testing::write_torch_checkpoint(folder_ / "small.ckpt", tensors, {{"refrain.clip.heads", "4"}}, legacy);
    expect_same_results(load(folder_ / "small.ckpt"), single);
  }
}

}  // namespace
}  // namespace refrain::diffusion
