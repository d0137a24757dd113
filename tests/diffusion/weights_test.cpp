// How modules ask for their weights.

#include "support/temporary_folder.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>
#include <refrain/diffusion/weights.hpp>

#include <string>

namespace refrain::diffusion {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class WeightsOfAFile : public ::testing::Test {
 protected:
  WeightsOfAFile() {
    write_safetensors(folder_ / "a.safetensors", {{"unet.in.0.weight", at::ones({2, 3}, at::kHalf)},
                                                  {"unet.in.0.scale", at::full({2}, 0.1, at::kFloat)},
                                                  {"unet.in.0.index", at::arange(3)}});
    source_ = open_safetensors(folder_ / "a.safetensors");
  }

  refrain::testing::TemporaryFolder folder_;
  std::shared_ptr<const WeightSource> source_;
};

TEST_F(WeightsOfAFile, AreFoundByPath) {
  const Weights weights = Weights(source_, {}) / "unet" / "in" / 0;
  EXPECT_TRUE(weights.has("weight"));
  EXPECT_FALSE(weights.has("bias"));
  EXPECT_EQ(weights.path("weight"), "unet.in.0.weight");
  EXPECT_EQ(weights.shape("weight"), (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(weights.shape("bias").empty());
}

TEST_F(WeightsOfAFile, StayInTheFileWhereNothingHasToChange) {
  const Weights weights(source_, {at::kCPU, at::kFloat}, "unet.in.0");
  EXPECT_EQ(weights.raw("scale", {2}).const_data_ptr(), source_->tensor("unet.in.0.scale").const_data_ptr());
  EXPECT_EQ(weights.get("scale", {2}).const_data_ptr(), source_->tensor("unet.in.0.scale").const_data_ptr());
}

TEST_F(WeightsOfAFile, AreConvertedToTheTypeOfComputation) {
  const Weights weights(source_, {at::kCPU, at::kBFloat16}, "unet.in.0");
  EXPECT_EQ(weights.get("weight", {2, 3}).scalar_type(), at::kBFloat16);
  EXPECT_EQ(weights.raw("weight", {2, 3}).scalar_type(), at::kHalf);
}

TEST_F(WeightsOfAFile, AMissingOneIsNamedWithFileAndShape) {
  try {
    (Weights(source_, {}) / "unet").get("out.bias", {4});
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.code(), "weight_missing");
    EXPECT_THAT(error.what(), AllOf(HasSubstr("a.safetensors"), HasSubstr("'unet.out.bias'"), HasSubstr("[4]")));
  }
}

TEST_F(WeightsOfAFile, OneOfAnotherShapeIsNamedWithBothShapes) {
  try {
    Weights(source_, {}, "unet.in.0").raw("weight", {3, 2});
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.code(), "weight_shape");
    EXPECT_THAT(error.what(), AllOf(HasSubstr("'unet.in.0.weight'"), HasSubstr("[2, 3]"), HasSubstr("[3, 2]")));
  }
}

TEST_F(WeightsOfAFile, HalfPrecisionOnTheCpuIsRefusedWithTheWayOut) {
  try {
    Weights(source_, {at::kCPU, at::kHalf});
    FAIL();
  } catch (const ModelError& error) {
    EXPECT_EQ(error.code(), "dtype_unsupported");
    EXPECT_THAT(error.what(), HasSubstr("choose fp32 or bf16"));
  }
}

TEST_F(WeightsOfAFile, CanBeRoundedToHalfAsTextEncodersAre) {
  const auto rounded = rounded_to_half(source_);
  EXPECT_EQ(rounded->tensor("unet.in.0.scale").scalar_type(), at::kHalf);
  EXPECT_EQ(rounded->tensors().at("unet.in.0.scale").dtype, at::kHalf);
  EXPECT_EQ(rounded->tensor("unet.in.0.index").scalar_type(), at::kLong);
  const at::Tensor value = Weights(rounded, {at::kCPU, at::kFloat}, "unet.in.0").get("scale", {2});
  EXPECT_EQ(value.scalar_type(), at::kFloat);
  EXPECT_EQ(value[0].item<float>(), 0.0999755859375F);  // the nearest float16 to 0.1
}

}  // namespace
}  // namespace refrain::diffusion
