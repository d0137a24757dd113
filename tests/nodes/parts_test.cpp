// The loaders of single parts. What they load is compared with the same parts out of the whole checkpoint, to the last
// bit; rounded weights and textual inversions with ComfyUI 0.3.64 (tests/reference/vectors_parts.py).

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/text.hpp>
#include <refrain/diffusion/weights.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;
using diffusion::testing::identical;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Tensors = std::map<std::string, at::Tensor, std::less<>>;

// ComfyUI on one thread is 3e-6 from itself on two.
constexpr double kPrediction = 2e-5;

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("parts_small.safetensors");
  return vectors;
}

std::shared_ptr<const diffusion::WeightSource> small() {
  static const auto source =
      diffusion::open_weights(std::filesystem::path(REFRAIN_TEST_MODELS) / "checkpoints/small.safetensors");
  return source;
}

/// The tensors of the small checkpoint below a prefix, without it.
Tensors part(const std::string& prefix) {
  Tensors tensors;
  for (const auto& [name, info] : small()->tensors()) {
    if (name.starts_with(prefix)) tensors[name.substr(prefix.size())] = small()->tensor(name);
  }
  return tensors;
}

/// The same in diffusers' names and shapes; `component`: "unet", "vae" or "text_encoder".
Tensors part_of_diffusers(const std::string& component) {
  std::string list(1 << 20, '\0');
  gzFile file = ::gzopen(diffusion::testing::golden_path("diffusers_names.txt.gz").c_str(), "rb");
  const int length = ::gzread(file, list.data(), static_cast<unsigned>(list.size()));
  ::gzclose(file);
  std::istringstream lines(list.substr(0, static_cast<std::size_t>(std::max(length, 0))));
  std::string line, original, name;
  std::getline(lines, line);  // where it is from
  Tensors tensors;
  for (int rank = 0; lines >> original >> name >> rank;) {
    if (!name.starts_with(component + ".")) continue;
    at::Tensor tensor = small()->tensor(original);
    while (tensor.dim() > rank) tensor = tensor.squeeze(-1);
    tensors[name.substr(component.size() + 1)] = tensor;
  }
  return tensors;
}

class Parts : public ::testing::Test {
 protected:
  void write(const std::string& folder, const std::string& name, const Tensors& tensors) {
    diffusion::write_safetensors(node_.folder.make("models/" + folder) / name, tensors, small()->metadata());
  }
  static const std::vector<Value>& whole() {
    static const std::vector<Value> loaded =
        NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}});
    return loaded;
  }
  static at::Tensor prediction(const Value& model) {
    const diffusion::UNetInput input{golden()["input/latent"], golden()["input/timesteps"], golden()["input/context"]};
    return model.as<diffusion::Model>().unet->evaluate(input).prediction;
  }
  static at::Tensor encoded(const Value& clip) {
    return diffusion::encode_prompt(clip.as<diffusion::Clip>(), "a (red:1.3) lighthouse").cross_attention;
  }
  static at::Tensor decoded(const Value& vae) {
    return vae.as<diffusion::Vae>().autoencoder->decode(golden()["input/latent"]);
  }
  Value load_unet(const std::string& name, const std::string& dtype = "default") {
    return node_.run("UNETLoader", {{"unet_name", text(name)}, {"weight_dtype", text(dtype)}})[0];
  }
  Value load_vae(const std::string& name) { return node_.run("VAELoader", {{"vae_name", text(name)}})[0]; }
  Value load_clip(const std::string& name) {
    return node_.run("CLIPLoader", {{"clip_name", text(name)}, {"type", text("stable_diffusion")}})[0];
  }
  Choices choices(const char* type) const {
    return built_nodes().find(type)->schema.inputs.front().list_choices(node_.host);
  }

  NodeRunner node_;
};

TEST_F(Parts, OfAUNetInItsOwnNamesOrDiffusersAreThoseOfTheCheckpoint) {
  write("unet", "own.safetensors", part("model.diffusion_model."));
  write("diffusion_models", "diffusers.safetensors", part_of_diffusers("unet"));
  EXPECT_THAT(choices("UNETLoader"), ElementsAre("diffusers.safetensors", "own.safetensors"));
  const at::Tensor expected = prediction(whole()[0]);
  EXPECT_TRUE(identical(prediction(load_unet("own.safetensors")), expected));
  EXPECT_TRUE(identical(prediction(load_unet("diffusers.safetensors")), expected));
}

TEST_F(Parts, OfAUNetAreRoundedToEightBitsAsComfyUIDoes) {
  write("diffusion_models", "own.safetensors", part("model.diffusion_model."));
  for (const auto& [dtype, reference] :
       {std::pair("fp8_e4m3fn", "fp8_e4m3fn"), std::pair("fp8_e4m3fn_fast", "fp8_e4m3fn"),
        std::pair("fp8_e5m2", "fp8_e5m2")}) {
    const at::Tensor result = prediction(load_unet("own.safetensors", dtype));
    EXPECT_LT(difference(result, golden()[std::string(reference) + "/prediction"]), kPrediction) << dtype;
    EXPECT_GT(difference(result, prediction(whole()[0])), 1e-3) << dtype;
  }
}

TEST_F(Parts, OfAnAutoencoderInItsOwnNamesOrDiffusersAreThoseOfTheCheckpoint) {
  write("vae", "own.safetensors", part("first_stage_model."));
  write("vae", "diffusers.safetensors", part_of_diffusers("vae"));
  const at::Tensor expected = decoded(whole()[2]);
  EXPECT_TRUE(identical(decoded(load_vae("own.safetensors")), expected));
  EXPECT_TRUE(identical(decoded(load_vae("diffusers.safetensors")), expected));
}

TEST_F(Parts, OfATextEncoderAreThoseOfTheCheckpoint) {
  write("clip", "own.safetensors", part("cond_stage_model.transformer."));
  write("text_encoders", "bare.safetensors", part("cond_stage_model.transformer.text_model."));
  EXPECT_THAT(choices("CLIPLoader"), ElementsAre("bare.safetensors", "own.safetensors"));
  EXPECT_TRUE(identical(encoded(load_clip("own.safetensors")), encoded(whole()[1])));
  EXPECT_TRUE(identical(encoded(load_clip("bare.safetensors")), encoded(whole()[1])));
}

TEST_F(Parts, InAFolderOfDiffusersAreThoseOfTheCheckpoint) {
  const std::string folder = "diffusers/painters/one";
  write(folder + "/unet", "diffusion_pytorch_model.safetensors", part_of_diffusers("unet"));
  write(folder + "/vae", "diffusion_pytorch_model.safetensors", part_of_diffusers("vae"));
  write(folder + "/text_encoder", "model.safetensors", part_of_diffusers("text_encoder"));
  node_.folder.write("models/" + folder + "/unet/config.json", R"({"attention_head_dim": 8})");
  node_.folder.write("models/" + folder + "/text_encoder/config.json", R"({"num_attention_heads": 4})");
  EXPECT_THAT(choices("DiffusersLoader"), ElementsAre());  // nothing says that it is a model
  node_.folder.write("models/" + folder + "/model_index.json", "{}");
  EXPECT_THAT(choices("DiffusersLoader"), ElementsAre("painters/one"));
  const NodeRunner::Inputs inputs{{"model_path", text("painters/one")}};
  const auto loaded = node_.run("DiffusersLoader", inputs);
  EXPECT_TRUE(identical(prediction(loaded[0]), prediction(whole()[0])));
  EXPECT_TRUE(identical(encoded(loaded[1]), encoded(whole()[1])));
  EXPECT_TRUE(identical(decoded(loaded[2]), decoded(whole()[2])));

  const Fingerprint before = node_.fingerprint("DiffusersLoader", inputs);
  write(folder + "/vae", "diffusion_pytorch_model.safetensors", part_of_diffusers("vae"));
  EXPECT_NE(node_.fingerprint("DiffusersLoader", inputs), before);
}

TEST_F(Parts, ForPixelsChangeNothing) {
  const auto& vae = load_vae("pixel_space").as<diffusion::Vae>();
  const at::Tensor pixels = at::ones({1, 3, 4, 6}) * 0.25;
  EXPECT_TRUE(identical(vae.autoencoder->encode(pixels), pixels));
  EXPECT_EQ(vae.autoencoder->downscale(), 1);
}

TEST_F(Parts, ListSmallAutoencodersOnlyWhereBothTheirFilesAre) {
  node_.folder.write("models/vae/a.safetensors", "");
  node_.folder.write("models/vae_approx/taesd_encoder.safetensors", "");
  node_.folder.write("models/vae_approx/taesdxl_encoder.pth", "");
  node_.folder.write("models/vae_approx/taesdxl_decoder.pth", "");
  EXPECT_THAT(choices("VAELoader"), ElementsAre("a.safetensors", "taesdxl", "pixel_space"));
  EXPECT_THROW(load_vae("taesdxl"), NodeError);
}

TEST_F(Parts, OfAVaeAreLoadedAnewWhenTheirFileChanges) {
  const NodeRunner::Inputs inputs{{"vae_name", text("a.safetensors")}};
  node_.folder.write("models/vae/a.safetensors", "one");
  const Fingerprint before = node_.fingerprint("VAELoader", inputs);
  EXPECT_EQ(node_.fingerprint("VAELoader", inputs), before);
  node_.folder.write("models/vae/a.safetensors", "other");
  EXPECT_NE(node_.fingerprint("VAELoader", inputs), before);
}

TEST_F(Parts, OfTheWrongKindAreErrorsThatSayWhatTheFileSeemsToBe) {
  const auto problem = [&](const auto& load) -> std::string {
    try {
      load("other.safetensors");
    } catch (const diffusion::ModelError& error) {
      return error.code() + ": " + error.what();
    }
    return {};
  };
  for (const char* folder : {"diffusion_models", "vae", "text_encoders"}) {
    write(folder, "other.safetensors", {{"lora_unet_conv_in.lora_up.weight", at::ones({4, 1})}});
  }
  const auto wrong = ::testing::AllOf(HasSubstr("unknown_model_family"), HasSubstr("LoRA"));
  EXPECT_THAT(problem([&](const char* name) { load_unet(name); }), wrong);
  EXPECT_THAT(problem([&](const char* name) { load_vae(name); }), wrong);
  EXPECT_THAT(problem([&](const char* name) { load_clip(name); }), wrong);
}

TEST_F(Parts, OfOtherTextEncodersAreRefusedBeforeARun) {
  EXPECT_THAT(node_.validate("CLIPLoader", {{"type", text("sd3")}}), ElementsAre(HasSubstr("stable_diffusion")));
  EXPECT_TRUE(node_.validate("CLIPLoader", {{"type", text("stable_diffusion")}}).empty());
}

// A checkpoint that brings its own vocabulary needs no file of CLIP's.
TEST(Vocabulary, IsLookedForOnlyWhereTheCheckpointBringsNone) {
  int asked = 0;
  diffusion::LoadOptions options;
  options.find_vocabulary = [&] {
    ++asked;
    return std::filesystem::path(REFRAIN_TEST_VOCABULARY);
  };
  const std::filesystem::path models = REFRAIN_TEST_MODELS;
  diffusion::load_checkpoint(models / "checkpoints/small_ddpm.safetensors", options);
  EXPECT_EQ(asked, 0);
  diffusion::load_checkpoint(models / "checkpoints/small.safetensors", options);
  EXPECT_EQ(asked, 1);

  const std::string merges = "#version: 0.2\nt h\na n</w>\n";
  const std::int64_t tokens = 2 * 256 + 2 + 2;
  Tensors own = part("");
  const std::string table = "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight";
  own[table] = own[table].narrow(0, 0, tokens);
  at::Tensor bytes = at::ones({static_cast<std::int64_t>(merges.size())}, at::kByte);
  std::copy(merges.begin(), merges.end(), bytes.data_ptr<std::uint8_t>());
  own["cond_stage_model.tokenizer.vocabulary"] = bytes;
  const TemporaryFolder folder;
  diffusion::write_safetensors(folder / "own.safetensors", own, small()->metadata());
  EXPECT_EQ(diffusion::load_checkpoint(folder / "own.safetensors", options).clip->tokenizer->size(), tokens);
  EXPECT_EQ(asked, 1);
}

TEST(Inversions, OfTorchsFilesHaveTheVectorsThatComfyUIFinds) {
  const auto names = golden().names("embedding/");
  EXPECT_EQ(names.size(), 6U);
  for (const std::string& name : names) {
    const auto file = diffusion::open_weights(std::string(REFRAIN_TEST_DATA) + "/embeddings/" + name);
    EXPECT_TRUE(identical(diffusion::inversion_vectors(*file, 64), golden()["embedding/" + name])) << name;
  }
}

TEST(Inversions, AreFoundByNameWithoutTheEndingInAnyFolder) {
  NodeRunner node;
  const std::filesystem::path data = std::string(REFRAIN_TEST_DATA) + "/embeddings";
  const std::filesystem::path folder = node.folder.make("models/embeddings/styles");
  std::filesystem::copy(data / "webui.pt", folder / "painted.pt");
  std::filesystem::copy(data / "token.bin", folder.parent_path() / "token.bin");
  const Value clip = node.run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}})[1];
  const auto states = [&](const char* prompt) {
    const Value encoded = node.run("CLIPTextEncode", {{"clip", clip}, {"text", text(prompt)}})[0];
    return encoded.as<Conditioning>().items[0].tokens;
  };
  const at::Tensor named = states("a embedding:painted");
  EXPECT_TRUE(identical(states("a embedding:painted.pt"), named));
  EXPECT_TRUE(identical(states("a embedding:styles/painted"), named));
  EXPECT_FALSE(identical(states("a embedding:token"), named));
}

}  // namespace
}  // namespace refrain::testing
