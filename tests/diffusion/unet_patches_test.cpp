// Patches of a U-Net. What they should give was computed by ComfyUI 0.3.64 (tests/reference/vectors_patches.py).

#include "golden_vectors.hpp"
#include "models/free_u.hpp"
#include "scripted_policy.hpp"
#include "small_model.hpp"

#include <ATen/ops/fft_fft2.h>
#include <ATen/ops/fft_fftshift.h>
#include <ATen/ops/fft_ifft2.h>
#include <ATen/ops/fft_ifftshift.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/real.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

using namespace testing;
using nlohmann::json;

// Of max|a - b| over the standard deviation: ComfyUI on two threads is up to 4e-6 from ComfyUI on one, and the
// contrast that FreeU_V2 stretches is a difference of close numbers.
constexpr double kTolerance = 3e-5;
constexpr float kEarly = 9.5F, kLate = 1.5F;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("patches_small.safetensors");
  return vectors;
}

const UNet& unet(at::ScalarType dtype = at::kFloat) {
  static const auto whole = small_unet_of("sd1-inpainting");
  static const auto half = small_unet_of("sd1-inpainting", at::kBFloat16);
  return dtype == at::kFloat ? *whole : *half;
}

UNetPatch patch_of(const json& inputs) {
  if (inputs[0] == "PatchModelAddDownscale") {
    const NoiseSchedule schedule = NoiseSchedule::scaled_linear();
    return Downscale{inputs[1],
                     inputs[2],
                     schedule.percent_to_sigma(inputs[3]),
                     schedule.percent_to_sigma(inputs[4]),
                     inputs[5],
                     find_resampling(inputs[6]),
                     find_resampling(inputs[7])};
  }
  const auto version = inputs[0] == "FreeU" ? FreeU::Version::first : FreeU::Version::second;
  return FreeU{version, inputs[1], inputs[3], inputs[2], inputs[4]};
}

std::vector<UNetPatch> patches_of(const json& run) {
  std::vector<UNetPatch> patches;
  for (const json& inputs : run.at("patches")) {
    if (inputs[0] != "RescaleCFG" && inputs[0] != "ModelSamplingDiscrete") patches.push_back(patch_of(inputs));
  }
  return patches;
}

/// Refers to `patches`.
UNetInput input_of(const std::string& latent, std::span<const UNetPatch> patches, float sigma) {
  const at::Tensor& x = golden()["channels/" + latent];
  const float t = NoiseSchedule::scaled_linear().timestep(sigma);
  return {x, at::full({x.size(0)}, t, at::kFloat), golden()["input/positive"].expand({x.size(0), -1, -1}), patches,
          sigma};
}

/// Every case's patches, with its latent's name.
std::vector<std::pair<json, std::vector<UNetPatch>>> cases() {
  std::vector<std::pair<json, std::vector<UNetPatch>>> all;
  for (const json& run : json::parse(golden().note("runs"))) all.emplace_back(run, patches_of(run));
  return all;
}

std::string sigma_name(float sigma) { return sigma == kEarly ? "9.5" : "1.5"; }

TEST(UNetPatches, GiveTheReferencesPredictions) {
  for (const auto& [run, patches] : cases()) {
    if (run.at("name") == "all") continue;  // over other noise levels: whole runs show it
    for (const float sigma : {kEarly, kLate}) {
      const std::string name = "prediction/" + run.at("name").get<std::string>() + "/" + sigma_name(sigma);
      const at::Tensor ours = unet().evaluate(input_of(run.at("latent"), patches, sigma)).prediction;
      EXPECT_LT(difference(ours, golden()[name]), kTolerance) << name;
    }
  }
}

TEST(UNetPatches, ChangeThePrediction) {  // or the cases would say nothing
  std::map<std::pair<std::string, float>, at::Tensor> plain;
  for (const std::string latent : {"even", "odd"}) {
    for (const float sigma : {kEarly, kLate}) {
      plain[{latent, sigma}] = unet().evaluate(input_of(latent, {}, sigma)).prediction;
    }
  }
  for (const auto& [run, patches] : cases()) {
    if (patches.empty()) continue;
    double most = 0;
    for (const float sigma : {kEarly, kLate}) {
      const std::string name = "prediction/" + run.at("name").get<std::string>() + "/" + sigma_name(sigma);
      most = std::max(most, difference(golden()[name], plain.at({run.at("latent").get<std::string>(), sigma})));
    }
    EXPECT_GT(most, 100 * kTolerance) << run;
  }
}

TEST(UNetPatches, InBfloat16AreWithinItsPrecision) {
  for (const auto& [run, patches] : cases()) {
    const UNetInput input = input_of(run.at("latent"), patches, kEarly);
    const double off = difference(unet(at::kBFloat16).evaluate(input).prediction, unet().evaluate(input).prediction);
    EXPECT_LT(off, 0.4) << run;  // eight bits through a hundred layers, and what the patches amplify: 0.27 at most
    EXPECT_GT(off, kTolerance) << run;
  }
}

class PatchedEvaluation : public ::testing::TestWithParam<at::ScalarType> {};

TEST_P(PatchedEvaluation, DeepAfterAFullOneOfTheSameInputEqualsItBitForBitAtEveryDepth) {
  std::vector<int> depths(unet().skips());
  for (int k = 0; k < unet().skips(); ++k) depths[k] = k;
  // Some of each kind: each case is fourteen evaluations.
  const std::set<std::string> some{"free_u", "free_u_v2/strong", "shrink/odd", "shrink/skip_too", "free_u/then_shrink"};
  for (const auto& [run, patches] : cases()) {
    if (!some.contains(run.at("name").get<std::string>())) continue;
    const UNetInput input = input_of(run.at("latent"), patches, kEarly);
    const UNetResult full = unet(GetParam()).evaluate(input, {.keep = depths, .keep_encoder = true});
    for (const int k : depths) {
      const UNetResult deep = unet(GetParam()).evaluate(input, {Evaluate::deep(k), full.kept[k], depths});
      EXPECT_TRUE(identical(deep.prediction, full.prediction)) << run << " depth " << k;
    }
    const UNetResult decoder =
        unet(GetParam()).evaluate(input, {.evaluate = Evaluate::encoder_reused(), .encoder = &full.encoder});
    EXPECT_TRUE(identical(decoder.prediction, full.prediction)) << run;
  }
}

INSTANTIATE_TEST_SUITE_P(InEachType, PatchedEvaluation, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& info) { return std::string(c10::toString(info.param)); });

TEST(UNetPatches, LeaveWhatGoesInAsItIs) {
  const std::vector<UNetPatch> patches{FreeU{}, Downscale{}};
  const UNetInput input = input_of("even", patches, kEarly);
  const at::Tensor before = input.latent.clone();
  unet().evaluate(input);
  EXPECT_TRUE(identical(input.latent, before));
}

// IFFT(FFT(x) * mask), as the paper and ComfyUI write it.
at::Tensor filtered_by_transform(const at::Tensor& x, double scale) {
  const std::int64_t h = x.size(2), w = x.size(3);
  at::Tensor mask = at::ones({h, w});
  mask.slice(0, h > 1 ? h / 2 - 1 : 0, h / 2 + 1).slice(1, w > 1 ? w / 2 - 1 : 0, w / 2 + 1).fill_(scale);
  const std::vector<std::int64_t> sides{2, 3};
  const at::Tensor changed = at::fft_fftshift(at::fft_fft2(x), sides) * mask;
  return at::real(at::fft_ifft2(at::fft_ifftshift(changed, sides)));
}

TEST(FreeUFilter, EqualsTheOneByFourierTransforms) {
  for (const auto& [h, w] :
       std::vector<std::pair<int, int>>{{8, 12}, {7, 5}, {2, 2}, {1, 6}, {3, 1}, {1, 1}, {64, 48}}) {
    const at::Tensor x = make_noise({2, 6, h, w}, 31) + 0.5;
    for (const double scale : {0.2, 0.9, 1.0, 3.0}) {
      // Sums over up to 3072 places in float32, in another order.
      EXPECT_LT(difference(with_low_frequencies_scaled(x, scale), filtered_by_transform(x, scale)), 2e-6)
          << h << " x " << w << " by " << scale;
    }
  }
}

TEST(FreeUBackbone, RefusesToFollowTheContrastOfASingleCell) {
  EXPECT_THROW(with_backbone_scaled(at::ones({1, 8, 1, 1}), FreeU::Version::second, 1.2), ShapeError);
}

TEST(DownscaledUNet, CostsLessWhereItHolds) {
  const std::vector<UNetPatch> patches{Downscale{.unit = 3, .factor = 2, .to = 5}};
  const auto cost = [&](Evaluate evaluate, float sigma) { return unet().macs(evaluate, 64, 64, 77, patches, sigma); };
  const Macs plain = unet().macs(Evaluate::full(), 64, 64, 77);
  EXPECT_EQ(cost(Evaluate::full(), kLate).total(), plain.total());
  EXPECT_LT(cost(Evaluate::full(), kEarly).module, 0.8 * plain.module);
  EXPECT_EQ(cost(Evaluate::deep(0), kEarly).total(), unet().macs(Evaluate::deep(0), 64, 64, 77).total());
}

SamplingRequest request(std::vector<UNetPatch> patches, std::shared_ptr<const CachePolicy> policy) {
  Model model;
  model.unet = std::shared_ptr<const UNet>(&unet(), [](const UNet*) {});
  model.schedule = std::make_shared<NoiseSchedule>(NoiseSchedule::scaled_linear());
  model.patches = std::move(patches);
  model.cache_policy = std::move(policy);
  SamplingRequest request;
  request.model = std::make_shared<Model>(std::move(model));
  request.positive = {{golden()["input/positive"], 1.0}};
  request.negative = {{golden()["input/negative"], 1.0}};
  request.sampler = find_sampler("euler");
  request.sigmas = make_sigmas(*request.model->schedule, "normal", 8);
  request.latent = golden()["input/even"];
  request.noise = make_noise(request.latent.sizes(), 5);
  return request;
}

std::shared_ptr<const CachePolicy> full_once_then_deep(int depth) {
  Needs needs;
  needs.depths = {depth};
  needs.declared_schedule = true;
  return script(needs,
                [depth](const Moment& moment) { return moment.step == 0 ? Decision::full() : Decision::deep(depth); });
}

TEST(DownscaledUNet, IsComputedWholeWhereTheDownscalingEnds) {
  const float end = NoiseSchedule::scaled_linear().percent_to_sigma(0.35);
  for (const bool after_skip : {true, false}) {
    const Downscale patch{.unit = 3, .factor = 2, .to = end, .after_skip = after_skip};
    const SamplingReport report = sample(request({patch}, full_once_then_deep(3))).report;
    int changes = 0;
    for (std::size_t i = 1; i < report.actions.size(); ++i) {
      const bool crossed = report.actions[i - 1].sigma >= end && report.actions[i].sigma < end;
      EXPECT_EQ(report.actions[i].guard, crossed ? Guard::changed : Guard::none) << i;
      changes += crossed ? 1 : 0;
    }
    EXPECT_EQ(changes, 1);
  }
}

TEST(FreeU, LeavesTheCachePolicysScheduleAsItIs) {
  const SamplingReport report = sample(request({FreeU{}}, full_once_then_deep(0))).report;
  for (std::size_t i = 1; i < report.actions.size(); ++i) {
    EXPECT_EQ(report.actions[i].guard, Guard::none) << i;
    EXPECT_EQ(report.actions[i].decision.evaluate, Evaluate::deep(0)) << i;
  }
}

}  // namespace
}  // namespace refrain::diffusion
