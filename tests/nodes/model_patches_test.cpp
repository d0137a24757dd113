// The nodes that patch a U-Net, on the small inpainting checkpoint. What they should give was computed by ComfyUI
// 0.3.64 (tests/reference/vectors_patches.py).

#include <refrain/diffusion/model.hpp>
#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::difference;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Of the standard deviation. The acceptance allows 1e-4, but a random network's faults show a tenth as large in a run;
// ComfyUI itself differs by up to 7e-6 between 1 and 2 threads here.
constexpr double kTolerance = 3e-5;

const diffusion::testing::GoldenVectors& golden() {
  static const diffusion::testing::GoldenVectors vectors("patches_small.safetensors");
  return vectors;
}

const Value& plain_model() {
  static const Value loaded =
      NodeRunner().run("CheckpointLoaderSimple", {{"ckpt_name", text("small_sd1-inpainting.safetensors")}})[0];
  return loaded;
}

Value number(double x) { return value<double>(x); }
Value first(const char* node, NodeRunner::Inputs inputs) { return NodeRunner().run(node, std::move(inputs))[0]; }

Value patched(const Value& model, const json& patch) {
  const std::string node = patch[0];
  NodeRunner::Inputs inputs{{"model", model}};
  if (node == "FreeU" || node == "FreeU_V2") {
    const std::vector<std::string> names{"b1", "b2", "s1", "s2"};
    for (std::size_t i = 0; i < names.size(); ++i) inputs[names[i]] = number(patch[i + 1]);
  } else if (node == "RescaleCFG") {
    inputs["multiplier"] = number(patch[1]);
  } else if (node == "ModelSamplingDiscrete") {
    inputs["sampling"] = text(patch[1]);
    inputs["zsnr"] = value<bool>(patch[2]);
  } else {
    inputs["block_number"] = integer(patch[1]);
    inputs["downscale_factor"] = number(patch[2]);
    inputs["start_percent"] = number(patch[3]);
    inputs["end_percent"] = number(patch[4]);
    inputs["downscale_after_skip"] = value<bool>(patch[5]);
    inputs["downscale_method"] = text(patch[6]);
    inputs["upscale_method"] = text(patch[7]);
  }
  return first(node.c_str(), std::move(inputs));
}

Value patched_by_all(Value model, const json& patches) {
  for (const json& patch : patches) model = patched(model, patch);
  return model;
}

at::Tensor sample(const Value& model, const std::string& latent) {
  const auto prompt = [](const char* name) { return value(Conditioning{{{golden()[name], {}, {}}}}); };
  return first("KSampler", {{"model", model},
                            {"seed", value<std::uint64_t>(std::stoull(golden().note("seed")))},
                            {"steps", integer(std::stoll(golden().note("steps")))},
                            {"cfg", number(6.0)},
                            {"sampler_name", text("euler")},
                            {"scheduler", text("normal")},
                            {"positive", prompt("input/positive")},
                            {"negative", prompt("input/negative")},
                            {"latent_image", value(Latent{golden()["input/" + latent], {}, {}})}})
      .as<Latent>()
      .samples;
}

TEST(PatchedModels, GiveComfyUIsLatents) {
  for (const json& run : json::parse(golden().note("runs"))) {
    const at::Tensor ours = sample(patched_by_all(plain_model(), run.at("patches")), run.at("latent"));
    // With zero terminal SNR a run begins at sigma 4518, where a float32's last bit is 1e-3.
    const double tolerance = run.dump().find("v_prediction") == std::string::npos ? kTolerance : 5e-3;
    EXPECT_LT(difference(ours, golden()["run/" + run.at("name").get<std::string>()]), tolerance) << run;
  }
}

TEST(PatchedModels, UnderACachePolicyGiveWhatComfyUIGivesWithTheSameCut) {
  for (const json& run : json::parse(golden().note("cached"))) {
    NodeRunner::Inputs settings{{"interval", integer(run.at("interval"))}, {"depth", integer(run.at("depth"))}};
    const Value policy = first("UniformCache", std::move(settings));
    const std::string name = "cached/" + run.at("name").get<std::string>();
    // The order of the two nodes says nothing: a policy isn't one of the patches.
    const Value before = first("ApplyCachePolicy", {{"model", plain_model()}, {"policy", policy}});
    EXPECT_LT(difference(sample(patched_by_all(before, run.at("patches")), "even"), golden()[name]), kTolerance) << run;
    const Value after = patched_by_all(plain_model(), run.at("patches"));
    const Value cached = first("ApplyCachePolicy", {{"model", after}, {"policy", policy}});
    EXPECT_LT(difference(sample(cached, "even"), golden()[name]), kTolerance) << run;
  }
}

TEST(PatchedModels, LeaveTheModelThatGoesInAsItIs) {
  for (const json& run : json::parse(golden().note("runs"))) patched_by_all(plain_model(), run.at("patches"));
  EXPECT_THAT(plain_model().as<diffusion::Model>().patches, IsEmpty());
}

TEST(PatchModelAddDownscale, RefusesABlockThatTheModelLacks) {
  try {
    patched(plain_model(), {"PatchModelAddDownscale", 12, 2.0, 0.0, 0.35, true, "bicubic", "bicubic"});
    FAIL() << "patched a block that is not there";
  } catch (const NodeError& error) {
    EXPECT_EQ(error.code(), "patch.block_number");
    EXPECT_THAT(error.what(), HasSubstr("its last one is 11"));
  }
}

}  // namespace
}  // namespace refrain::testing
