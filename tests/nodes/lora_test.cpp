// LoRA as nodes on the small checkpoint. What they should give was computed by ComfyUI 0.3.64
// (tests/reference/vectors_lora.py), which wrote the LoRA files too.

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/lora.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/text.hpp>
#include <refrain/payloads.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;
using diffusion::testing::identical;
using ::testing::HasSubstr;
using Tensors = std::map<std::string, at::Tensor, std::less<>>;

// ComfyUI on one thread is 3e-6 from itself on two; the products of the small matrices add their own last digits.
constexpr double kPrediction = 2e-5;
// The changed weights are rounded to float16: a last digit of a product may turn the rounding of one weight.
constexpr double kText = 2e-4;
constexpr double kRun = 1e-4;  // what the acceptance allows

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("lora_small.safetensors");
  return vectors;
}

Tensors file(const std::string& name) {
  Tensors tensors;
  for (const std::string& key : golden().names("file/" + name + "/")) {
    tensors[key] = golden()["file/" + name + "/" + key];
  }
  return tensors;
}

struct Pair {
  Value model, clip;
};

/// Another source, and which of its tensors were asked for.
class RecordingSource final : public diffusion::WeightSource {
 public:
  explicit RecordingSource(std::shared_ptr<const diffusion::WeightSource> source) : source_(std::move(source)) {}
  const std::string& name() const override { return source_->name(); }
  const std::map<std::string, diffusion::TensorInfo, std::less<>>& tensors() const override {
    return source_->tensors();
  }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return source_->metadata(); }
  at::Tensor tensor(std::string_view name) const override {
    read.emplace(name);
    return source_->tensor(name);
  }

  mutable std::set<std::string> read;

 private:
  std::shared_ptr<const diffusion::WeightSource> source_;
};

class Lora : public ::testing::Test {
 protected:
  Lora() {
    for (const char* name : {"kohya", "diffusers", "own", "lycoris"}) write(name, file(name));
  }

  void write(const std::string& name, const Tensors& tensors) {
    diffusion::write_safetensors(node_.folder.make("models/loras") / (name + ".safetensors"), tensors);
  }
  static Pair base() {
    static const std::vector<Value> loaded =
        NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}});
    return {loaded[0], loaded[1]};
  }
  Pair load(const Pair& below, const std::string& name, double model, double clip) {
    const auto out = node_.run("LoraLoader", {{"model", below.model},
                                              {"clip", below.clip},
                                              {"lora_name", text(name + ".safetensors")},
                                              {"strength_model", value(model)},
                                              {"strength_clip", value(clip)}});
    return {out[0], out[1]};
  }
  Value load_model_only(const Value& model, const std::string& name, double strength) {
    return node_.run(
        "LoraLoaderModelOnly",
        {{"model", model}, {"lora_name", text(name + ".safetensors")}, {"strength_model", value(strength)}})[0];
  }
  static at::Tensor prediction(const Value& model) {
    const diffusion::UNetInput input{golden()["input/latent"], golden()["input/timesteps"], golden()["input/context"]};
    return model.as<diffusion::Model>().unet->evaluate(input).prediction;
  }
  static at::Tensor encoded(const Value& clip, const std::string& prompt) {
    return diffusion::encode_prompt(clip.as<diffusion::Clip>(), prompt).cross_attention;
  }
  Value sampled(const Value& model, const at::Tensor& positive, const at::Tensor& negative, double cfg,
                const char* scheduler) {
    return node_.run("KSampler", {{"model", model},
                                  {"seed", value(static_cast<std::uint64_t>(std::stoull(golden().note("seed"))))},
                                  {"steps", integer(std::stoll(golden().note("steps")))},
                                  {"cfg", value(cfg)},
                                  {"sampler_name", text("euler")},
                                  {"scheduler", text(scheduler)},
                                  {"positive", value(Conditioning{{{positive, {}, {}}}})},
                                  {"negative", value(Conditioning{{{negative, {}, {}}}})},
                                  {"latent_image", value(Latent{golden()["input/start"], {}, {}})},
                                  {"denoise", value(0.8)}})[0];
  }
  std::string problem(const std::string& name, bool model_only = false) {
    try {
      if (model_only) {
        load_model_only(base().model, name, 1);
      } else {
        load(base(), name, 1, 1);
      }
    } catch (const diffusion::Error& error) {
      return error.code() + ": " + error.what();
    }
    return {};
  }

  NodeRunner node_;
};

TEST_F(Lora, GivesWhatComfyUIGivesInEveryDialectAndStacked) {
  const std::string prompt = golden().note("prompt");
  const auto cases = nlohmann::json::parse(golden().note("cases"));
  for (const auto& [name, loras] : cases.items()) {
    Pair top = base();
    for (const auto& one : loras) top = load(top, one.at(0), one.at(1), one.at(2));
    EXPECT_LT(difference(prediction(top.model), golden()[name + "/prediction"]), kPrediction) << name;
    EXPECT_LT(difference(encoded(top.clip, prompt), golden()[name + "/text"]), kText) << name;
    if (name != "none" && name != "kohya" && name != "stacked") continue;
    const Value run =
        sampled(top.model, encoded(top.clip, prompt), encoded(top.clip, golden().note("negative")), 5.0, "normal");
    EXPECT_LT(difference(run.as<Latent>().samples, golden()[name + "/run"]), kRun) << name;
  }
}

TEST_F(Lora, ComposesWithNodesThatChangeWhatTheModelMeansInAnyOrder) {
  const at::Tensor positive = golden()["input/context"], negative = golden()["input/other"];
  const auto means_velocity = [&](const Value& model) {
    return node_.run("ModelSamplingDiscrete", {{"model", model}, {"sampling", text("v_prediction")}})[0];
  };
  const auto rescaled = [&](const Value& model) { return node_.run("RescaleCFG", {{"model", model}})[0]; };
  const Value between = rescaled(load_model_only(means_velocity(base().model), "kohya", 0.6));
  const Value last = load_model_only(rescaled(means_velocity(base().model)), "kohya", 0.6);
  const at::Tensor run = sampled(between, positive, negative, 7.0, "karras").as<Latent>().samples;
  EXPECT_LT(difference(run, golden()["composed/run"]), kRun);
  EXPECT_TRUE(identical(sampled(last, positive, negative, 7.0, "karras").as<Latent>().samples, run));
}

TEST_F(Lora, ComposesWithACachePolicyBeforeAndAfterIt) {
  const at::Tensor positive = golden()["input/context"], negative = golden()["input/other"];
  const Value policy = node_.run("UniformCache", {{"interval", integer(2)}})[0];
  const auto cached = [&](const Value& model) {
    return node_.run("ApplyCachePolicy", {{"model", model}, {"policy", policy}})[0];
  };
  const auto run = [&](const Value& model) {
    return sampled(model, positive, negative, 7.0, "karras").as<Latent>().samples;
  };
  const at::Tensor before = run(load_model_only(cached(base().model), "kohya", 0.6));
  EXPECT_TRUE(identical(run(cached(load_model_only(base().model, "kohya", 0.6))), before));
  EXPECT_FALSE(identical(run(cached(base().model)), before));
}

TEST_F(Lora, LeavesTheModelAndTheTextEncoderBelowAsTheyAre) {
  const at::Tensor before = prediction(base().model), text_before = encoded(base().clip, "a cat");
  const Pair top = load(base(), "kohya", 1, 1);
  EXPECT_FALSE(identical(prediction(top.model), before));
  EXPECT_TRUE(identical(prediction(base().model), before));
  EXPECT_TRUE(identical(encoded(base().clip, "a cat"), text_before));
}

TEST_F(Lora, OfNoStrengthPassesOnWhatCameIn) {
  const Pair top = load(base(), "kohya", 0, 0);
  EXPECT_EQ(&top.model.as<diffusion::Model>(), &base().model.as<diffusion::Model>());
  EXPECT_EQ(&top.clip.as<diffusion::Clip>(), &base().clip.as<diffusion::Clip>());
  EXPECT_EQ(load(base(), "kohya", 0, 1).model.as<diffusion::Model>().unet, base().model.as<diffusion::Model>().unet);
  EXPECT_EQ(&load_model_only(base().model, "kohya", 0).as<diffusion::Model>(), &base().model.as<diffusion::Model>());
}

// Packed forms, those of convolutions too, which a run makes, are shared with the model below.
TEST_F(Lora, ReadsNoWeightAgainThatItDoesNotTouch) {
  const std::string module = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  write("small", {{module + ".lora_up.weight", at::ones({64, 1})}, {module + ".lora_down.weight", at::ones({1, 64})}});
  const auto source = std::make_shared<const RecordingSource>(
      diffusion::open_weights(std::filesystem::path(REFRAIN_TEST_MODELS) / "checkpoints/small.safetensors"));
  diffusion::Model below = base().model.as<diffusion::Model>();
  below.weights = std::make_shared<const diffusion::Weights>(source, below.placement, "model.diffusion_model");
  below.unet = std::make_shared<const diffusion::UNet>(below.unet->config(), *below.weights);
  prediction(value(below));
  source->read.clear();
  const Value top = load_model_only(value(below), "small", 1);
  EXPECT_FALSE(identical(prediction(top), prediction(value(below))));
  EXPECT_THAT(source->read,
              ::testing::ElementsAre("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"));
}

TEST_F(Lora, CountsSharedWeightsOnce) {
  diffusion::MemoryBlocks blocks;
  const Value zero = base().model;
  const auto& below = zero.as<diffusion::Model>();
  const Value one = load_model_only(zero, "kohya", 1), two = load_model_only(one, "own", 1);
  for (const Value& model : {zero, one, two}) diffusion::Model::memory(model.as<diffusion::Model>(), blocks);
  std::map<const void*, std::size_t> once(blocks.begin(), blocks.end());
  EXPECT_EQ(once.size(), 3U);
  std::size_t bytes = 0;
  for (const auto& [owner, size] : once) bytes += size;
  EXPECT_LT(bytes, below.weight_bytes * 3 / 2);
  EXPECT_GT(bytes, below.weight_bytes);
}

// ComfyUI reads such names only with "processor" in them.
TEST_F(Lora, ReadsTheNamesThatPeftGives) {
  const std::string block = "up_blocks.3.attentions.2.transformer_blocks.0.", kohya = "lora_unet_";
  Tensors ours, theirs;
  for (const std::string leaf : {"attn1.to_q", "attn2.to_k", "attn1.to_out.0", "ff.net.2"}) {
    std::string flat = kohya + block + leaf;
    std::replace(flat.begin(), flat.end(), '.', '_');
    const at::Tensor up = golden()["file/kohya/" + flat + ".lora_up.weight"];
    const at::Tensor down = golden()["file/kohya/" + flat + ".lora_down.weight"];
    ours[flat + ".lora_up.weight"] = theirs["unet." + block + leaf + ".lora_B.weight"] = up;
    ours[flat + ".lora_down.weight"] = theirs["unet." + block + leaf + ".lora_A.weight"] = down;
  }
  write("ours", ours);
  write("theirs", theirs);
  const at::Tensor expected = prediction(load_model_only(base().model, "ours", 1));
  EXPECT_FALSE(identical(prediction(base().model), expected));
  EXPECT_TRUE(identical(prediction(load_model_only(base().model, "theirs", 1)), expected));
}

// ComfyUI 0.3.64 fails on this form, so the expected weight is summed up here: W1 (x) (core between its two sides).
TEST_F(Lora, ReadsKroneckerProductsWithACore) {
  const at::Tensor w1 = golden()["input/context"].flatten().narrow(0, 0, 16).reshape({4, 4});
  const at::Tensor numbers = golden()["input/other"].flatten();
  const at::Tensor core = numbers.narrow(0, 0, 36).reshape({2, 2, 3, 3});
  const at::Tensor rows = numbers.narrow(0, 100, 32).reshape({2, 16}),
                   columns = numbers.narrow(0, 200, 32).reshape({2, 16});
  const std::string module = "lora_unet_input_blocks_1_0_out_layers_3";
  write("core", {{module + ".lokr_w1", w1},
                 {module + ".lokr_w2_a", rows},
                 {module + ".lokr_w2_b", columns},
                 {module + ".lokr_t2", core}});
  at::Tensor delta = at::zeros({64, 64, 3, 3});
  const auto w1_of = w1.accessor<float, 2>(), rows_of = rows.accessor<float, 2>(),
             columns_of = columns.accessor<float, 2>();
  const auto core_of = core.accessor<float, 4>();
  auto delta_of = delta.accessor<float, 4>();
  for (int o = 0; o < 64; ++o) {
    for (int i = 0; i < 64; ++i) {
      for (int k = 0; k < 9; ++k) {
        double sum = 0;
        for (int a = 0; a < 2; ++a) {
          for (int b = 0; b < 2; ++b) sum += rows_of[a][o % 16] * core_of[a][b][k / 3][k % 3] * columns_of[b][i % 16];
        }
        delta_of[o][i][k / 3][k % 3] = static_cast<float>(w1_of[o / 16][i / 16] * sum);
      }
    }
  }
  write("sum", {{module + ".diff", delta}});
  const at::Tensor expected = prediction(load_model_only(base().model, "sum", 0.1));
  EXPECT_GT(difference(prediction(base().model), expected), 1e-3);
  EXPECT_LT(difference(prediction(load_model_only(base().model, "core", 0.1)), expected), kPrediction);
}

TEST_F(Lora, TellsWhichOfItsTensorsHaveNoPlace) {
  const auto source = diffusion::open_weights(node_.folder / "models/loras/kohya.safetensors");
  const auto result =
      diffusion::with_lora(base().model.share<diffusion::Model>(), base().clip.share<diffusion::Clip>(), source, {});
  const auto unused = nlohmann::json::parse(golden().note("unused/kohya")).get<std::vector<std::string>>();
  EXPECT_EQ(result.unused, unused);
  const auto model_only = diffusion::with_lora(base().model.share<diffusion::Model>(), nullptr, source, {});
  EXPECT_THAT(model_only.unused, ::testing::ElementsAre("lora_unet_no_such_module.lora_down.weight"));
}

TEST_F(Lora, WithoutAnythingForThisModelIsAnErrorThatSaysWhatItSeemsToBe) {
  write("sdxl", {{"lora_te2_text_model_encoder_layers_0_mlp_fc1.lora_up.weight", at::ones({4, 1})}});
  EXPECT_THAT(problem("sdxl"), ::testing::AllOf(HasSubstr("lora_unmatched"), HasSubstr("SDXL")));
  Tensors text_only;
  for (const auto& [name, tensor] : file("kohya")) {
    if (name.starts_with("lora_te_text_model_encoder_layers_1")) text_only[name] = tensor;
  }
  write("text", text_only);
  EXPECT_EQ(problem("text"), "");
  EXPECT_THAT(problem("text", true), ::testing::AllOf(HasSubstr("lora_unmatched"), HasSubstr("use LoraLoader")));
}

TEST_F(Lora, OfAnotherModelsShapesIsAnErrorAtOnceAndNamesTheWeight) {
  const std::string linear = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q";
  const std::string convolution = "lora_unet_mid_block_resnets_0_conv1";
  for (const auto& [module, up, down] : {std::tuple(linear, at::ones({64, 1}), at::ones({1, 99})),
                                         std::tuple(linear, at::ones({99, 1}), at::ones({1, 192})),
                                         std::tuple(linear, at::ones({192, 2}), at::ones({1, 192})),
                                         std::tuple(convolution, at::ones({192, 1, 1, 1}), at::ones({1, 192, 1, 1}))}) {
    write("other", {{module + ".lora_up.weight", up}, {module + ".lora_down.weight", down}});
    EXPECT_THAT(problem("other"), ::testing::AllOf(HasSubstr("lora_shape"), HasSubstr(module)));
  }
  write("difference", {{"lora_unet_conv_in.diff", at::ones({64, 4})}});
  EXPECT_THAT(problem("difference"), HasSubstr("lora_shape"));
}

TEST_F(Lora, HalfThereOrOfAKindThatIsNotReadIsAnError) {
  const std::string module = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q";
  write("half", {{module + ".lora_up.weight", at::ones({192, 1})}});
  EXPECT_THAT(problem("half"), ::testing::AllOf(HasSubstr("lora_damaged"), HasSubstr("'down'")));
  write("oft", {{module + ".oft_blocks", at::ones({4, 2, 2})}});
  EXPECT_THAT(problem("oft"), ::testing::AllOf(HasSubstr("lora_unsupported"), HasSubstr("OFT")));
}

TEST_F(Lora, ForAFamilyThatTakesNoneIsAnError) {
  const Value other = NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small_ddpm.safetensors")}})[0];
  EXPECT_THROW(load_model_only(other, "kohya", 1), diffusion::ModelError);
}

}  // namespace
}  // namespace refrain::testing
