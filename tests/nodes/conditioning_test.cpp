// Conditioning, noise masks and latents as nodes, on the small checkpoint. What they should give was computed by
// ComfyUI 0.3.64 (tests/reference/vectors_nodes.py).

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;
using diffusion::testing::identical;
using ::testing::ElementsAre;

// Of the standard deviation: what the acceptance allows.
constexpr double kTolerance = 1e-4;
// One or two float32 operations, in the same order; bislerp has a quotient of sines.
constexpr double kRounding = 2e-6;

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("nodes_small.safetensors");
  return vectors;
}

const std::vector<Value>& checkpoint() {
  static const std::vector<Value> loaded =
      NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small.safetensors")}});
  return loaded;
}

Value number(double x) { return value<double>(x); }
Value input(const char* name) { return value(Latent{golden()[std::string("input/") + name], {}, {}}); }
Value mask(const at::Tensor& values) { return value(Mask{values}); }
Value prompt(const char* name) {
  return value(Conditioning{{{golden()[std::string("input/prompt/") + name], {}, {}}}});
}

Value first(const char* node, NodeRunner::Inputs inputs) { return NodeRunner().run(node, std::move(inputs))[0]; }
const at::Tensor& samples(const Value& latent) { return latent.as<Latent>().samples; }

Value combined(Value one, const Value& other) {
  return first("ConditioningCombine", {{"conditioning_1", std::move(one)}, {"conditioning_2", other}});
}
Value combined(Value one, const Value& other, const Value& third) { return combined(combined(one, other), third); }

Value with_area(const char* name, int width, int height, int x, int y, double strength) {
  return first("ConditioningSetArea", {{"conditioning", prompt(name)},
                                       {"width", integer(width)},
                                       {"height", integer(height)},
                                       {"x", integer(x)},
                                       {"y", integer(y)},
                                       {"strength", number(strength)}});
}

Value with_shares(const char* name, double width, double height, double x, double y, double strength) {
  return first("ConditioningSetAreaPercentage", {{"conditioning", prompt(name)},
                                                 {"width", number(width)},
                                                 {"height", number(height)},
                                                 {"x", number(x)},
                                                 {"y", number(y)},
                                                 {"strength", number(strength)}});
}

Value with_mask(const char* name, const at::Tensor& values, double strength, const char* area) {
  return first("ConditioningSetMask", {{"conditioning", prompt(name)},
                                       {"mask", mask(values)},
                                       {"strength", number(strength)},
                                       {"set_cond_area", text(area)}});
}

Value with_range(const char* name, double start, double end) {
  return first("ConditioningSetTimestepRange",
               {{"conditioning", prompt(name)}, {"start", number(start)}, {"end", number(end)}});
}

Value averaged(const char* to, const char* from, double strength) {
  return first("ConditioningAverage", {{"conditioning_to", prompt(to)},
                                       {"conditioning_from", prompt(from)},
                                       {"conditioning_to_strength", number(strength)}});
}

struct Settings {
  double cfg = 6.0;
  const char* sampler = "euler";
  double denoise = 1.0;
  Value model = {};  ///< none: as it is loaded
};

/// KSampler over `latent`, compared with the reference's run of that name.
void expect_sample(const std::string& name, const Value& positive, const Value& negative, const Value& latent,
                   const Settings& settings) {
  const Value out = first("KSampler", {{"model", settings.model ? settings.model : checkpoint()[0]},
                                       {"seed", value<std::uint64_t>(std::stoull(golden().note("seed")))},
                                       {"steps", integer(std::stoll(golden().note("steps")))},
                                       {"cfg", number(settings.cfg)},
                                       {"sampler_name", text(settings.sampler)},
                                       {"scheduler", text("normal")},
                                       {"positive", positive},
                                       {"negative", negative},
                                       {"latent_image", latent},
                                       {"denoise", number(settings.denoise)}});
  EXPECT_LT(difference(samples(out), golden()["sample/" + name]), kTolerance) << name;
}
void expect_sample(const std::string& name, const Value& positive, const Value& negative) {
  expect_sample(name, positive, negative, input("latent"), {});
}

TEST(Conditioning, IsCombinedConcatenatedAndAveragedAsInComfyUI) {
  expect_sample("combined", combined(prompt("a"), prompt("b"), prompt("c")), prompt("d"));
  expect_sample("concatenated",
                first("ConditioningConcat", {{"conditioning_to", prompt("a")}, {"conditioning_from", prompt("b")}}),
                prompt("d"));
  expect_sample("averaged", averaged("b", "a", 0.3), averaged("a", "b", 0.6));
  EXPECT_LT(difference(averaged("b", "a", 0.3).as<Conditioning>().items[0].tokens, golden()["result/average"]),
            kRounding);
}

TEST(Conditioning, HoldsInItsAreaOnly) {
  const Value area = with_area("c", 64, 64, 16, 0, 1.4);
  expect_sample("area", combined(prompt("a"), area), prompt("b"));
  const Value corner = with_area("d", 64, 64, 32, 0, 0.7), shares = with_shares("d", 0.4, 1.0, 0.55, 0.0, 1.2);
  expect_sample("areas", combined(combined(prompt("a"), area, corner), shares), combined(prompt("b"), shares));
}

TEST(Conditioning, HoldsWhereItsMaskIs) {
  expect_sample("masked", combined(prompt("a"), with_mask("c", golden()["input/mask"], 0.8, "default")), prompt("d"));
  at::Tensor half = at::zeros({1, 64, 96});
  half.narrow(1, 16, 32).narrow(2, 40, 50).fill_(1);
  expect_sample("bounded", combined(prompt("a"), with_mask("c", half, 1.0, "mask bounds")), prompt("d"));
}

TEST(Conditioning, HoldsForItsPartOfTheRunOnly) {
  expect_sample("range", combined(with_range("c", 0, 0.35), with_range("d", 0.35, 1)), prompt("b"));
  expect_sample("silent", with_range("a", 0, 0.5), prompt("b"));
}

TEST(Conditioning, CanBeSilenced) {
  expect_sample("zeroed", prompt("a"), first("ConditioningZeroOut", {{"conditioning", prompt("a")}}));
}

TEST(Conditioning, HonoursEverythingAtOnce) {
  const Value area = with_area("c", 64, 64, 16, 0, 1.4);
  const Value masked = with_mask("c", golden()["input/mask"], 0.8, "default");
  expect_sample("all", combined(combined(prompt("a"), area, masked), with_range("c", 0, 0.35)),
                combined(prompt("b"), with_range("d", 0.35, 1)), input("latent"), {3.0, "dpmpp_2m", 0.7});
}

TEST(Conditioning, OutsideOfThePictureIsAnError) {
  NodeRunner::Inputs given{{"model", checkpoint()[0]},
                           {"positive", with_area("c", 64, 64, 512, 0, 1)},
                           {"negative", prompt("a")},
                           {"steps", integer(1)},
                           {"latent_image", input("latent")}};
  EXPECT_THROW(NodeRunner().run("KSampler", given), diffusion::ShapeError);
}

Value with_noise_mask(std::int64_t masks) {
  return first("SetLatentNoiseMask",
               {{"samples", input("latent")}, {"mask", mask(golden()["input/mask"].narrow(0, 0, masks))}});
}

TEST(NoiseMask, LetsOnlyThatPartChange) {
  for (const char* sampler : {"euler", "ddim", "dpmpp_2m", "uni_pc"}) {
    expect_sample(std::string("inpaint/") + sampler, prompt("a"), prompt("b"), with_noise_mask(2), {6.0, sampler, 1.0});
  }
  expect_sample("inpaint/one/euler_ancestral", prompt("a"), prompt("b"), with_noise_mask(1),
                {6.0, "euler_ancestral", 0.8});
}

class Upscaling : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Methods, Upscaling,
                         ::testing::Values("nearest-exact", "bilinear", "area", "bicubic", "bislerp"),
                         [](const auto& info) {
                           return info.param == std::string("nearest-exact") ? "nearest_exact"
                                                                             : std::string(info.param);
                         });

TEST_P(Upscaling, GivesComfyUIsLatents) {
  const std::string method = GetParam();
  // Where two neighbours point almost the same way, bislerp divides two small sines: a last bit of acos is seen.
  const double tolerance = method == "bislerp" ? 1e-4 : kRounding;
  const Value wide = first("LatentUpscale", {{"samples", input("latent")},
                                             {"upscale_method", text(method)},
                                             {"width", integer(136)},
                                             {"height", integer(72)}});
  EXPECT_LT(difference(samples(wide), golden()["result/upscale/" + method]), tolerance);
  const Value half = first(
      "LatentUpscaleBy", {{"samples", input("latent")}, {"upscale_method", text(method)}, {"scale_by", number(0.65)}});
  EXPECT_LT(difference(samples(half), golden()["result/upscale_by/" + method]), tolerance);
}

TEST(LatentUpscale, CropsAndKeepsProportionsOnRequest) {
  const auto upscaled = [](int width, int height, const char* crop) {
    return first("LatentUpscale", {{"samples", input("latent")},
                                   {"upscale_method", text("bilinear")},
                                   {"width", integer(width)},
                                   {"height", integer(height)},
                                   {"crop", text(crop)}});
  };
  EXPECT_LT(difference(samples(upscaled(64, 96, "center")), golden()["result/upscale/center"]), kRounding);
  EXPECT_LT(difference(samples(upscaled(0, 120, "disabled")), golden()["result/upscale/by_height"]), kRounding);
  EXPECT_TRUE(identical(samples(upscaled(0, 0, "disabled")), golden()["input/latent"]));
}

TEST(LatentComposite, PutsOneOntoAnother) {
  for (const int feather : {0, 16}) {
    const Value put = first("LatentComposite", {{"samples_to", input("latent")},
                                                {"samples_from", input("small")},
                                                {"x", integer(24)},
                                                {"y", integer(16)},
                                                {"feather", integer(feather)}});
    EXPECT_LT(difference(samples(put), golden()["result/composite/" + std::to_string(feather)]), kRounding) << feather;
  }
}

TEST(LatentComposite, OutsideIsAnError) {
  EXPECT_THROW(first("LatentComposite",
                     {{"samples_to", input("latent")}, {"samples_from", input("small")}, {"x", integer(512)}}),
               NodeError);
}

TEST(LatentBlend, MixesAndFitsTheSecond) {
  const Value mixed = first(
      "LatentBlend", {{"samples1", input("latent")}, {"samples2", input("small")}, {"blend_factor", number(0.3)}});
  EXPECT_LT(difference(samples(mixed), golden()["result/blend"]), kRounding);
}

TEST(LatentBatch, KeepsTheNoiseOfEachPlace) {
  const Value one =
      first("LatentFromBatch", {{"samples", input("latent")}, {"batch_index", integer(1)}, {"length", integer(5)}});
  EXPECT_TRUE(identical(samples(one), golden()["result/from_batch"]));
  EXPECT_THAT(one.as<Latent>().batch_index, ElementsAre(1));
  const Value many = first("RepeatLatentBatch", {{"samples", one}, {"amount", integer(3)}});
  EXPECT_THAT(many.as<Latent>().batch_index, ElementsAre(1, 2, 3));
  expect_sample("from_batch", prompt("a"), prompt("b"), many, {});
}

Value picture() { return value(Image{golden()["input/picture"]}); }

TEST(VAEEncode, GivesComfyUIsLatents) {
  const Value latent = first("VAEEncode", {{"pixels", picture()}, {"vae", checkpoint()[2]}});
  EXPECT_LT(difference(samples(latent), golden()["result/encoded"]), kTolerance);
}

TEST(VAEEncode, RefusesPicturesThatAreTooSmall) {
  const Value tiny = value(Image{at::zeros({1, 7, 64, 3})});
  EXPECT_THROW(first("VAEEncode", {{"pixels", tiny}, {"vae", checkpoint()[2]}}), NodeError);
}

TEST(VAEEncodeForInpaint, GreysTheMaskAndGrowsIt) {
  for (const int grow : {0, 3, 6}) {
    const Value latent = first("VAEEncodeForInpaint", {{"pixels", picture()},
                                                       {"vae", checkpoint()[2]},
                                                       {"mask", mask(golden()["input/hole"])},
                                                       {"grow_mask_by", integer(grow)}});
    const std::string name = "result/inpaint/" + std::to_string(grow);
    EXPECT_LT(difference(samples(latent), golden()[name]), kTolerance) << grow;
    EXPECT_TRUE(identical(latent.as<Latent>().noise_mask.to(at::kByte), golden()[name + "/mask"])) << grow;
  }
}

TEST(InpaintModelConditioning, TellsTheMaskAndTheRestOfThePicture) {
  const auto out = NodeRunner().run("InpaintModelConditioning", {{"positive", prompt("a")},
                                                                 {"negative", prompt("b")},
                                                                 {"vae", checkpoint()[2]},
                                                                 {"pixels", picture()},
                                                                 {"mask", mask(golden()["input/hole"])}});
  const auto& options = out[0].as<Conditioning>().items[0].options;
  const auto option = [&](const char* name) { return std::get<at::Tensor>(options.find(name)->second); };
  EXPECT_LT(difference(option("concat_latent_image"), golden()["result/told/latent"]), kTolerance);
  EXPECT_LT(difference(option("concat_mask"), golden()["result/told/mask"]), 1e-3);  // kept in float16
  EXPECT_LT(difference(samples(out[2]), golden()["result/told/samples"]), kTolerance);
  EXPECT_TRUE(out[2].as<Latent>().noise_mask.defined());
}

TEST(TiledAutoencoder, GivesComfyUIsMeanOverThreeTilings) {
  const Value latent =
      first("VAEEncodeTiled",
            {{"pixels", picture()}, {"vae", checkpoint()[2]}, {"tile_size", integer(64)}, {"overlap", integer(16)}});
  EXPECT_LT(difference(samples(latent), golden()["result/encoded_tiled"]), kTolerance);
  const Value small = value(Latent{golden()["input/latent"].narrow(0, 0, 1) * 0.2, {}, {}});
  const Value decoded =
      first("VAEDecodeTiled",
            {{"samples", small}, {"vae", checkpoint()[2]}, {"tile_size", integer(64)}, {"overlap", integer(32)}});
  const at::Tensor pixels = decoded.as<Image>().pixels.slice(1, 0, {}, 3).slice(2, 0, {}, 3);
  EXPECT_LT(difference(pixels, golden()["result/decoded_tiled"]), kTolerance);
}

TEST(TiledAutoencoder, RefusesAnOverlapAsLargeAsItsTiles) {
  EXPECT_THROW(
      first("VAEEncodeTiled",
            {{"pixels", picture()}, {"vae", checkpoint()[2]}, {"tile_size", integer(64)}, {"overlap", integer(64)}}),
      diffusion::Error);
}

TEST(ModelSamplingDiscrete, SaysWhatTheModelPredicts) {
  const auto expect = [](const std::string& sampling, bool zsnr, const char* sampler) {
    const Value model = first("ModelSamplingDiscrete",
                              {{"model", checkpoint()[0]}, {"sampling", text(sampling)}, {"zsnr", value<bool>(zsnr)}});
    expect_sample("sampling/" + sampling + (zsnr ? "/zsnr" : ""), prompt("a"), prompt("b"), input("latent"),
                  {6.0, sampler, 0.8, model});
  };
  expect("v_prediction", false, "euler");
  expect("v_prediction", true, "euler");
  expect("lcm", false, "lcm");
  expect("x0", false, "euler");
}

TEST(RescaleCFG, KeepsTheContrastOfThePositivePrompt) {
  const Value model = first("RescaleCFG", {{"model", checkpoint()[0]}, {"multiplier", number(0.7)}});
  expect_sample("rescaled", prompt("a"), prompt("b"), input("latent"), {9.0, "euler", 1.0, model});
}

TEST(ModelPatches, LeaveTheModelThatGoesInAsItIs) {
  first("ModelSamplingDiscrete", {{"model", checkpoint()[0]}, {"sampling", text("x0")}});
  first("RescaleCFG", {{"model", checkpoint()[0]}});
  const auto& model = checkpoint()[0].as<diffusion::Model>();
  EXPECT_EQ(model.prediction, diffusion::Prediction::noise);
  EXPECT_EQ(model.schedule->steps(), 1000);
  EXPECT_FALSE(model.cfg_rescale.has_value());
}

TEST(CLIPTextEncode, PutsTextualInversionsInPlaceOfWords) {
  NodeRunner node;
  for (const std::string& name : golden().names("inversion/")) {
    const std::string file = name.substr(0, name.rfind('/')), key = name.substr(name.rfind('/') + 1);
    const auto path = node.folder / "models/embeddings" / (file + ".safetensors");
    std::filesystem::create_directories(path.parent_path());
    diffusion::write_safetensors(path, {{key, golden()["inversion/" + name]}});
  }
  const auto prompts = nlohmann::json::parse(golden().note("inversion_prompts"));
  ASSERT_EQ(prompts.size(), 4U);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const Value encoded =
        node.run("CLIPTextEncode", {{"clip", checkpoint()[1]}, {"text", text(prompts[i].get<std::string>())}})[0];
    EXPECT_LT(difference(encoded.as<Conditioning>().items[0].tokens, golden()["inverted/" + std::to_string(i)]),
              kTolerance)
        << prompts[i];
  }
  EXPECT_THROW(node.run("CLIPTextEncode", {{"clip", checkpoint()[1]}, {"text", text("embedding:none")}}),
               diffusion::Error);
}

TEST(CLIPSetLastLayer, TakesTheStatesOfAnEarlierLayer) {
  const auto encoded = [](int layer) {
    const Value clip = first("CLIPSetLastLayer", {{"clip", checkpoint()[1]}, {"stop_at_clip_layer", integer(layer)}});
    return first("CLIPTextEncode", {{"clip", clip}, {"text", text("a (red:1.3) lighthouse")}})
        .as<Conditioning>()
        .items[0];
  };
  const Value plain = first("CLIPTextEncode", {{"clip", checkpoint()[1]}, {"text", text("a (red:1.3) lighthouse")}});
  const ConditioningItem& whole = plain.as<Conditioning>().items[0];
  EXPECT_TRUE(identical(encoded(-1).tokens, whole.tokens));
  EXPECT_FALSE(identical(encoded(-2).tokens, whole.tokens));
  EXPECT_TRUE(identical(encoded(-2).pooled, whole.pooled));
  EXPECT_TRUE(identical(encoded(-24).tokens, whole.tokens));  // no such layer: the last one, as in ComfyUI
}

}  // namespace
}  // namespace refrain::testing
