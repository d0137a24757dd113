// The models of the small checkpoint on a GPU, against ComfyUI's own classes on the CPU.
//
// Tolerances are of max|a - b| over the standard deviation of the reference, about four times as much as over its
// largest value: float32 without TF32 may be 1e-4 of the largest value off through a whole U-Net, float16 1e-2,
// bfloat16 5e-2.

#include <ATen/Context.h>
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/model.hpp>

#include <numeric>
#include <string>
#include <vector>

#include "diffusion/golden_vectors.hpp"
#include "diffusion/small_model.hpp"
#include "gpu/device_under_test.hpp"

namespace refrain::diffusion {
namespace {

using refrain::testing::device_under_test;
using testing::difference;
using testing::GoldenVectors;
using testing::identical;

double tolerance(at::ScalarType dtype) { return dtype == at::kFloat ? 4e-4 : dtype == at::kHalf ? 4e-2 : 0.2; }

class OnTheGpu : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  void SetUp() override {
    REFRAIN_SKIP_WITHOUT_DEVICE();
    if (device_under_test().is_cpu() && GetParam() == at::kHalf) GTEST_SKIP() << "float16 computes on GPUs only";
    at::globalContext().setAllowTF32CuDNN(false);
    LoadOptions options;
    options.placement = {device_under_test(), GetParam()};
    options.autoencoder_dtype = GetParam() == at::kHalf ? at::kFloat : GetParam();
    options.vocabulary = REFRAIN_TEST_VOCABULARY;
    checkpoint_ = load_checkpoint(testing::small_checkpoint(), options);
  }
  static at::Tensor there(const at::Tensor& tensor) { return tensor.to(device_under_test()); }
  static UNetInput input(const GoldenVectors& golden, const std::string& name) {
    return {there(golden[name + "latent"]), there(golden[name + "timesteps"]), there(golden[name + "context"])};
  }

  Checkpoint checkpoint_;
};

INSTANTIATE_TEST_SUITE_P(InEachType, OnTheGpu, ::testing::Values(at::kFloat, at::kHalf, at::kBFloat16),
                         [](const auto& info) { return std::string(c10::toString(info.param)); });

TEST_P(OnTheGpu, TheUNetEqualsTheReference) {
  const GoldenVectors golden("unet_small.safetensors");
  for (const std::string name : {"plain/", "square_batch/", "long_text/", "odd/", "one_token/"}) {
    const at::Tensor prediction = checkpoint_.model->unet->evaluate(input(golden, name)).prediction;
    EXPECT_EQ(prediction.device().type(), device_under_test().type());
    EXPECT_LT(difference(prediction.cpu(), golden[name + "prediction"]), tolerance(GetParam())) << name;
  }
}

TEST_P(OnTheGpu, DeepAfterFullOfTheSameInputEqualsItBitForBitAtEveryDepth) {
  const GoldenVectors golden("unet_small.safetensors");
  const UNet& unet = *checkpoint_.model->unet;
  std::vector<int> depths(static_cast<std::size_t>(unet.skips()));
  std::iota(depths.begin(), depths.end(), 0);
  const UNetInput square = input(golden, "square_batch/");
  const UNetResult full = unet.evaluate(square, {Evaluate::full(), {}, depths});
  for (const int k : depths) {
    const UNetResult deep = unet.evaluate(square, {Evaluate::deep(k), full.kept[static_cast<std::size_t>(k)], {}});
    EXPECT_TRUE(identical(deep.prediction.cpu(), full.prediction.cpu())) << "depth " << k;
  }
}

TEST_P(OnTheGpu, DeepWithAnothersFeatureEqualsTheReferenceCutAndSplicedByHand) {
  const GoldenVectors golden("deepcache_small.safetensors");
  const UNet& unet = *checkpoint_.model->unet;
  const UNetInput b{there(golden["b/latent"]), there(golden["b/timesteps"]), there(golden["context"])};
  for (int k = 0; k < unet.skips(); ++k) {
    const std::string depth = std::to_string(k);
    // Features are kept in the type of computation.
    const at::Tensor feature = there(golden["a/feature/" + depth]).to(GetParam());
    const at::Tensor deep = unet.evaluate(b, {Evaluate::deep(k), feature, {}}).prediction;
    EXPECT_LT(difference(deep.cpu(), golden["b/deep/" + depth]), tolerance(GetParam())) << "depth " << k;
  }
}

TEST_P(OnTheGpu, TheTextEncoderAndTheAutoencoderEqualTheReference) {
  const GoldenVectors text("clip_small.safetensors");
  const at::Tensor encoded = checkpoint_.clip->text_model->encode(there(text["tokens"]));
  EXPECT_LT(difference(encoded.cpu(), text["last"]), tolerance(at::kFloat));  // it computes in float32 always
  const GoldenVectors pictures("vae_small.safetensors");
  const at::Tensor decoded = checkpoint_.vae->autoencoder->decode(there(pictures["plain/latent"]));
  EXPECT_LT(difference(decoded.cpu(), pictures["plain/decoded"]),
            tolerance(GetParam() == at::kHalf ? at::kFloat : GetParam()));
}

}  // namespace
}  // namespace refrain::diffusion
