// The trained models of the repository give here what the modules give that they were trained with.
//
// Both compute in float32 on the same float16 weights. Measured differences: see the tolerances.

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/sampling.hpp>
#include <refrain/diffusion/text.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "golden_vectors.hpp"

namespace refrain::diffusion {
namespace {

using testing::difference;
using testing::GoldenVectors;
using testing::identical;

constexpr double kModel = 3e-5;  // as for the models of random weights: another order of sums
constexpr double kRun = 1e-3;    // 25 steps at guidance 5, each of which multiplies the error of the ones before
constexpr int kSteps = 25;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("drawn_models.safetensors");
  return vectors;
}

/// Without any vocabulary but the file's own.
Checkpoint load(const std::string& name) {
  LoadOptions options;
  options.placement = {at::kCPU, at::kFloat};
  return load_checkpoint(std::string(REFRAIN_DRAWN_MODELS) + "/" + name + ".safetensors", options);
}

const Checkpoint& drawn() {
  static const Checkpoint checkpoint = load("drawn");
  return checkpoint;
}

std::string prompt(int number) {
  const std::string& all = golden().note("prompts");
  const auto end = all.find('\n');
  return number == 0 ? all.substr(0, end) : all.substr(end + 1);
}

SamplingRequest request(int number, std::shared_ptr<const CachePolicy> policy = nullptr) {
  SamplingRequest request;
  Model model = *drawn().model;
  model.cache_policy = std::move(policy);
  request.model = std::make_shared<Model>(std::move(model));
  request.positive = {{encode_prompt(*drawn().clip, prompt(number)).cross_attention, 1.0}};
  request.negative = {{encode_prompt(*drawn().clip, "").cross_attention, 1.0}};
  request.cfg = 5;
  request.sampler = find_sampler("ddim");
  request.sigmas = ksampler_sigmas(*request.model->schedule, "ddim", "normal", kSteps, 1);
  request.seed = std::stoull(golden().note("seed")) + static_cast<std::uint64_t>(number);
  request.latent = at::zeros({1, 4, 16, 16});
  request.noise = make_noise(request.latent.sizes(), request.seed);
  return request;
}

/// One evaluation at the three times of the vectors.
at::Tensor evaluated(const Checkpoint& checkpoint, const std::string& name, const at::Tensor& context) {
  const at::Tensor latent =
      golden()[name + "/latent"].expand({3, -1, -1, -1}).contiguous(at::MemoryFormat::ChannelsLast);
  return checkpoint.model->unet->evaluate({latent, golden()[name + "/times"], context}).prediction;
}

TEST(DrawnModel, BringsItsVocabularyAndEncodesPromptsAsTheTrainer) {
  const at::Tensor context = golden()["drawn/context"];
  for (const int number : {0, 1}) {
    const at::Tensor made = encode_prompt(*drawn().clip, prompt(number)).cross_attention;
    EXPECT_LT(difference(made, context.narrow(0, number, 1)), kModel) << prompt(number);
  }
}

TEST(DrawnModel, PredictsTheNoiseThatTheTrainerPredicts) {
  const at::Tensor context = golden()["drawn/context"].narrow(0, 0, 1).expand({3, -1, -1}).contiguous();
  EXPECT_LT(difference(evaluated(drawn(), "drawn", context), golden()["drawn/unet"]), kModel);
}

TEST(DrawnModel, EncodesAPictureAsTheTrainer) {
  const at::Tensor encoded =
      drawn().vae->autoencoder->encode(golden()["drawn/pixels"] * 2 - 1) * drawn().model->latent_scale;
  EXPECT_LT(difference(encoded, golden()["drawn/encoded"]), kModel);
}

TEST(DrawnModel, DrawsTheTrainersPictures) {
  at::Tensor first;
  for (const int number : {0, 1}) {
    const at::Tensor latent = sample(request(number)).latent;
    EXPECT_LT(difference(latent * drawn().model->latent_scale, golden()["drawn/run"].narrow(0, number, 1)), kRun);
    if (number == 0) first = latent;
  }
  const at::Tensor shades = (drawn().vae->autoencoder->decode(first) + 1) / 2;
  const at::Tensor levels = (shades.clamp(0, 1) * 255).to(at::kByte).to(at::kFloat);
  const at::Tensor apart = (levels - golden()["drawn/picture"].to(at::kFloat)).abs();
  EXPECT_LE(apart.max().item<float>(), 1);  // levels are truncated: a rounding apart can be one
  EXPECT_LT((apart > 0).to(at::kFloat).mean().item<float>(), 1e-2);
}

TEST(DrawnModel, ACacheKeepsCloseToThePicture) {
  const at::Tensor full = sample(request(0)).latent;
  EXPECT_TRUE(identical(sample(request(0, std::make_shared<UniformCache>(1, 1))).latent, full));
  const double off = difference(sample(request(0, std::make_shared<UniformCache>(3, 1))).latent, full);
  EXPECT_GT(off, 1e-3);  // it does skip
  EXPECT_LT(off, 3.0);
}

TEST(DrawnClassModel, PredictsTheNoiseThatTheTrainerPredicts) {
  const Checkpoint checkpoint = load("drawn_classes");
  EXPECT_EQ(checkpoint.model->family, "ldm4g");
  const at::Tensor made = evaluated(checkpoint, "drawn_classes", golden()["drawn_classes/context"]);
  EXPECT_LT(difference(made, golden()["drawn_classes/unet"]), kModel);
  const at::Tensor corner = golden()["drawn_classes/latent"].narrow(2, 0, 8).narrow(3, 0, 10).contiguous();
  const at::Tensor decoded = checkpoint.vae->autoencoder->decode(corner);
  EXPECT_LT(difference(decoded, golden()["drawn_classes/decoded"]), kModel);
}

TEST(DrawnPixelModel, PredictsTheNoiseThatTheTrainerPredicts) {
  const Checkpoint checkpoint = load("drawn_pixels");
  EXPECT_EQ(checkpoint.model->family, "ddpm");
  EXPECT_LT(difference(evaluated(checkpoint, "drawn_pixels", {}), golden()["drawn_pixels/unet"]), kModel);
}

}  // namespace
}  // namespace refrain::diffusion
