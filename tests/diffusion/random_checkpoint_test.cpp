// The random checkpoints are what their formula says, on every machine.

#include "family_layouts.hpp"
#include "random_weights.hpp"
#include "small_model.hpp"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>

namespace refrain::diffusion {
namespace {

std::int64_t count(const Layout& layout, const std::string& prefix) {
  std::int64_t elements = 0;
  for (const auto& [name, shape] : layout) {
    std::int64_t product = name.starts_with(prefix) ? 1 : 0;
    for (const std::int64_t size : shape) product *= size;
    elements += product;
  }
  return elements;
}

// The counts of the published checkpoint.
TEST(RandomCheckpoint, OfFullSizeHasStableDiffusionsTensors) {
  const Layout layout = sd1_layout({}, {}, {});
  EXPECT_EQ(layout.size(), 1130);  // and position_ids
  EXPECT_EQ(count(layout, "model.diffusion_model."), 859'520'964);
  EXPECT_EQ(count(layout, "first_stage_model."), 83'653'863);
  EXPECT_EQ(count(layout, "cond_stage_model."), 123'060'480);
}

// From an independent program in NumPy that follows the formula.
TEST(RandomCheckpoint, ValuesFollowTheFormula) {
  const at::Tensor norm = random_weight("model.diffusion_model.out.0.weight", {64}, at::kFloat, 0);
  const at::Tensor conv = random_weight("model.diffusion_model.out.2.weight", {4, 64, 3, 3}, at::kFloat, 7);
  EXPECT_EQ(norm[0].item<float>(), 0x1.c6879e0000000p-1F);
  EXPECT_EQ(norm[63].item<float>(), 0x1.2643700000000p+0F);
  EXPECT_EQ(conv[3][63][2][2].item<float>(), 0x1.be14300000000p-7F);
}

TEST(RandomCheckpoint, TheFileHoldsTheFormulasValues) {
  const auto source = testing::small_source();
  for (const std::string name : {"model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight",
                                 "first_stage_model.decoder.conv_out.bias",
                                 "cond_stage_model.transformer.text_model.embeddings.position_embedding.weight"}) {
    const TensorInfo& info = source->tensors().at(name);
    EXPECT_TRUE(at::equal(source->tensor(name), random_weight(name, info.shape, at::kHalf, 0))) << name;
  }
}

TEST(RandomCheckpoint, DistributionsFollowTheNames) {
  const auto scale = [](const char* name, at::IntArrayRef shape) { return weight_distribution(name, shape).scale; };
  EXPECT_EQ(weight_distribution("a.norm1.weight", {64}).mean, 1);
  EXPECT_EQ(weight_distribution("a.norm1.bias", {64}).mean, 0);
  EXPECT_EQ(scale("a.in_layers.2.weight", {8, 4, 3, 3}), 1 / std::sqrt(36.0));
  EXPECT_EQ(scale("a.out_layers.3.weight", {8, 4, 3, 3}), 0.5 / std::sqrt(36.0));
  EXPECT_EQ(scale("a.attn1.to_q.weight", {8, 4}), 1.25 / 2);
  EXPECT_EQ(scale("first_stage_model.decoder.mid.attn_1.q.weight", {8, 4, 1, 1}), 1.25 / 2);
  EXPECT_EQ(scale("model.diffusion_model.out.2.weight", {8, 4}), 0.3 / 2);
  EXPECT_EQ(scale("a.seq.weight", {8, 4}), 1.0 / 2);  // "q" is a whole name, not an ending
}

TEST(RandomCheckpoint, AnotherSeedGivesOtherWeights) {
  EXPECT_FALSE(at::equal(random_weight("a.weight", {9}, at::kFloat, 0), random_weight("a.weight", {9}, at::kFloat, 1)));
}

}  // namespace
}  // namespace refrain::diffusion
