// Runs with a model of nine input channels. What they should give was computed by ComfyUI 0.3.64
// (tests/reference/vectors_inpainting.py).

#include <refrain/diffusion/model.hpp>
#include <refrain/payloads.hpp>

#include <gtest/gtest.h>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;

// Of the standard deviation; see model_patches_test.cpp. The picture passes an autoencoder on its way.
constexpr double kTolerance = 3e-5;

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("inpainting_small.safetensors");
  return vectors;
}

/// MODEL, CLIP and VAE.
const std::vector<Value>& checkpoint() {
  static const std::vector<Value> loaded =
      NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small_sd1-inpainting.safetensors")}});
  return loaded;
}

Value number(double x) { return value<double>(x); }
Value prompt(const char* name) { return value(Conditioning{{{golden()[std::string("input/") + name], {}, {}}}}); }
Value hole() { return value(Mask{golden()["input/hole"]}); }
Value latent() { return value(Latent{golden()["input/latent"], {}, {}}); }
Value first(const char* node, NodeRunner::Inputs inputs) { return NodeRunner().run(node, std::move(inputs))[0]; }

/// What InpaintModelConditioning gives: positive, negative, latent.
std::vector<Value> told(const Value& mask, bool noise_mask, const Value& positive = prompt("a")) {
  return NodeRunner().run("InpaintModelConditioning", {{"positive", positive},
                                                       {"negative", prompt("b")},
                                                       {"vae", checkpoint()[2]},
                                                       {"pixels", value(Image{golden()["input/picture"]})},
                                                       {"mask", mask},
                                                       {"noise_mask", value<bool>(noise_mask)}});
}

void expect_sample(const char* name, const std::vector<Value>& given, const char* sampler = "euler",
                   double denoise = 1.0) {
  const Value out = first("KSampler", {{"model", checkpoint()[0]},
                                       {"seed", value<std::uint64_t>(std::stoull(golden().note("seed")))},
                                       {"steps", integer(std::stoll(golden().note("steps")))},
                                       {"cfg", number(5.0)},
                                       {"sampler_name", text(sampler)},
                                       {"scheduler", text("karras")},
                                       {"positive", given[0]},
                                       {"negative", given[1]},
                                       {"latent_image", given[2]},
                                       {"denoise", number(denoise)}});
  EXPECT_LT(difference(out.as<Latent>().samples, golden()[std::string("run/") + name]), kTolerance) << name;
}

TEST(InpaintingModel, IsLoadedWithNineChannels) {
  const auto& model = checkpoint()[0].as<diffusion::Model>();
  EXPECT_EQ(model.family, "sd1");
  EXPECT_EQ(model.unet->config().in_channels, 9);
  EXPECT_EQ(model.latent_channels, 4);
}

TEST(InpaintingModel, WithoutAMaskIsToldToPaintABlankPictureAnew) {
  expect_sample("without_mask", {prompt("a"), prompt("b"), latent()});
}

TEST(InpaintingModel, IsToldTheNoiseMaskWhereNothingElseIsSaid) {
  const Value masked = first("SetLatentNoiseMask", {{"samples", latent()}, {"mask", hole()}});
  expect_sample("noise_mask_alone", {prompt("a"), prompt("b"), masked}, "euler", 0.8);
}

TEST(InpaintingModel, IsToldTheMaskAndTheRestOfThePicture) {
  expect_sample("masked", told(hole(), true));
  expect_sample("masked/dpmpp_2m", told(hole(), true), "dpmpp_2m", 0.7);
}

TEST(InpaintingModel, RoundsASoftMaskAndMayChangeTheWholePicture) {
  expect_sample("free", told(value(Mask{golden()["input/soft"]}), false));
}

TEST(InpaintingModel, IsToldTheSameForEveryPictureOfABatch) {
  std::vector<Value> given = told(hole(), true);
  given[2] = first("RepeatLatentBatch", {{"samples", given[2]}, {"amount", integer(2)}});
  expect_sample("batch", given);
}

TEST(InpaintingModel, IsToldTheAreasPartWhereAConditionHasOne) {
  const Value area = first("ConditioningSetArea", {{"conditioning", prompt("a")},
                                                   {"width", integer(48)},
                                                   {"height", integer(40)},
                                                   {"x", integer(32)},
                                                   {"y", integer(16)},
                                                   {"strength", number(1.3)}});
  const Value both = first("ConditioningCombine", {{"conditioning_1", prompt("a")}, {"conditioning_2", area}});
  expect_sample("area", told(hole(), false, both));
}

}  // namespace
}  // namespace refrain::testing
