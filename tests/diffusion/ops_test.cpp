// Operators with weights of their own, against plain ATen on the same weights.
//
// Packed and fused kernels sum in another order than ATen's. Tolerances, of max|a - b| over the standard deviation:
// 1e-5 in float32; 2^-5 in bfloat16, whose products agree to one rounding (2^-8) of values up to four deviations large.

#include "golden_vectors.hpp"
#include "ops/attention.hpp"
#include "ops/conv2d.hpp"
#include "ops/geglu.hpp"
#include "ops/linear.hpp"
#include "ops/norm.hpp"
#include "random_weights.hpp"
#include "support/temporary_folder.hpp"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/safetensors_writer.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace refrain::diffusion {
namespace {

using testing::difference;

/// Tensors in memory, in place of a file.
class Source final : public WeightSource {
 public:
  explicit Source(const std::map<std::string, std::vector<std::int64_t>>& shapes) {
    for (const auto& [name, shape] : shapes) {
      infos_[name] = {at::kFloat, shape};
      tensors_[name] = random_weight(name, shape, at::kFloat, 1);
    }
  }
  const std::string& name() const override { return name_; }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return infos_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return metadata_; }
  at::Tensor tensor(std::string_view name) const override { return tensors_.at(std::string(name)); }

 private:
  std::string name_ = "memory";
  std::map<std::string, TensorInfo, std::less<>> infos_;
  std::map<std::string, std::string, std::less<>> metadata_;
  std::map<std::string, at::Tensor> tensors_;
};

/// Inputs of unit variance: the embedding's distribution times two.
at::Tensor input(const std::string& name, at::IntArrayRef shape) {
  return random_weight(name + ".token_embedding.weight", shape, at::kFloat, 2).mul_(2);
}

at::Tensor places(const std::string& name, at::IntArrayRef shape) {
  return input(name, shape).contiguous(at::MemoryFormat::ChannelsLast);
}

class Ops : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  static Weights weights(const std::map<std::string, std::vector<std::int64_t>>& shapes) {
    return {std::make_shared<const Source>(shapes), {at::kCPU, GetParam()}};
  }
  static at::Tensor typed(const at::Tensor& x) { return x.to(GetParam()); }
  static double tolerance() { return GetParam() == at::kFloat ? 1e-5 : 1.0 / 32; }
  static void expect_close(const at::Tensor& result, const at::Tensor& reference) {
    EXPECT_EQ(result.scalar_type(), GetParam());
    EXPECT_LT(difference(result, reference), tolerance());
  }
};

TEST_P(Ops, LinearAndItsFusedFormsEqualAten) {
  const Weights w = weights({{"weight", {48, 40}}, {"bias", {48}}});
  const Linear linear(w, 40, 48);
  const at::Tensor x = typed(input("x", {2, 5, 40}));
  const at::Tensor other = typed(input("other", {2, 5, 48}));
  const at::Tensor y = at::linear(x.to(at::kFloat), w.raw("weight", {48, 40}).to(GetParam()).to(at::kFloat),
                                  w.raw("bias", {48}).to(GetParam()).to(at::kFloat));
  expect_close(linear(x), y);
  expect_close(linear.gelu(x), at::gelu(y));
  expect_close(linear.add(x, other), y.add(other));
  expect_close(linear.multiply(x, other), y.mul(other));
}

TEST_P(Ops, LinearTakesAPointwiseConvolutionsWeightAndNoBias) {
  const Weights w = weights({{"weight", {48, 40, 1, 1}}});
  const at::Tensor x = typed(input("x", {2, 5, 40}));
  const at::Tensor weight = w.raw("weight", {48, 40, 1, 1}).to(GetParam()).to(at::kFloat).flatten(1);
  expect_close(Linear(w, 40, 48, Linear::Bias::no)(x), at::linear(x.to(at::kFloat), weight));
}

TEST_P(Ops, ConvolutionsOfEveryGeometryEqualAten) {
  for (const Conv2d::Geometry geometry : {Conv2d::Geometry{3, 1, 1}, {3, 2, 1}, {3, 2, 0}, {1, 1, 0}}) {
    const std::vector<std::int64_t> shape{48, 40, geometry.kernel, geometry.kernel};
    const Weights w = weights({{"weight", shape}, {"bias", {48}}});
    const Conv2d conv(w, 40, 48, geometry);
    const at::Tensor x = typed(places("x", {2, 40, 7, 9}));
    const at::Tensor y =
        at::conv2d(x.to(at::kFloat), w.raw("weight", shape).to(GetParam()).to(at::kFloat),
                   w.raw("bias", {48}).to(GetParam()).to(at::kFloat), geometry.stride, geometry.padding);
    const at::Tensor other = typed(places("other", y.sizes()));
    expect_close(conv(x), y);
    expect_close(conv.add(x, other), y.add(other));
    EXPECT_TRUE(conv(x).is_contiguous(at::MemoryFormat::ChannelsLast));
    EXPECT_TRUE(conv.add(x, other).is_contiguous(at::MemoryFormat::ChannelsLast));
  }
}

TEST_P(Ops, AConvolutionServesOneSizeAfterAnother) {
  const Weights w = weights({{"weight", {48, 40, 3, 3}}, {"bias", {48}}});
  const Conv2d conv(w, 40, 48);
  for (const std::int64_t side : {16, 8, 16, 3}) {
    const at::Tensor x = typed(places("x", {2, 40, side, side + 1}));
    expect_close(conv(x), at::conv2d(x.to(at::kFloat), w.raw("weight", {48, 40, 3, 3}).to(GetParam()).to(at::kFloat),
                                     w.raw("bias", {48}).to(GetParam()).to(at::kFloat), 1, 1));
  }
}

TEST_P(Ops, AConvolutionWithAStrideServesPicturesAFewCellsWide) {
  const Weights w = weights({{"weight", {256, 256, 3, 3}}, {"bias", {256}}});
  for (const Conv2d::Geometry geometry : {Conv2d::Geometry{3, 2, 1}, {3, 2, 0}}) {
    const Conv2d conv(w, 256, 256, geometry);
    for (const std::int64_t width : {1, 2, 3, 4}) {
      for (const std::int64_t height : {1, 3, 16}) {
        if (geometry.padding == 0 && std::min(width, height) < 3) continue;
        const at::Tensor x = typed(places("x", {1, 256, height, width}));
        const at::Tensor y =
            at::conv2d(x.to(at::kFloat), w.raw("weight", {256, 256, 3, 3}).to(GetParam()).to(at::kFloat),
                       w.raw("bias", {256}).to(GetParam()).to(at::kFloat), geometry.stride, geometry.padding);
        expect_close(conv(x), y);
        expect_close(conv.add(x, typed(y)), y.add(typed(y)));
      }
    }
  }
}

TEST_P(Ops, FusedFormsLeaveTheirInputsAlone) {
  const Weights w = weights({{"weight", {40, 40, 3, 3}}, {"bias", {40}}});
  const at::Tensor x = typed(places("x", {1, 40, 4, 4}));
  const at::Tensor before = x.clone();
  Conv2d(w, 40, 40).add(x, x);
  EXPECT_TRUE(testing::identical(x, before));
  const Weights v = weights({{"weight", {40, 40}}, {"bias", {40}}});
  const at::Tensor tokens = typed(input("x", {1, 4, 40}));
  const at::Tensor kept = tokens.clone();
  const Linear linear(v, 40, 40);
  linear.add(tokens, tokens);
  linear.multiply(tokens, tokens);
  EXPECT_TRUE(testing::identical(tokens, kept));
}

TEST_P(Ops, NormsEqualAten) {
  const Weights w = weights({{"weight", {64}}, {"bias", {64}}});
  const auto parameter = [&](const char* name) { return w.raw(name, {64}).to(GetParam()).to(at::kFloat); };
  const at::Tensor x = typed(places("x", {2, 64, 5, 3}).div(128));  // where a wrong epsilon shows
  const at::Tensor grouped = at::group_norm(x.to(at::kFloat), 32, parameter("weight"), parameter("bias"), 1e-6);
  expect_close(GroupNorm(w, 64, 1e-6)(x), grouped);
  expect_close(GroupNorm(w, 64, 1e-6).silu(x), at::silu(grouped));
  EXPECT_TRUE(GroupNorm(w, 64, 1e-6).silu(x).is_contiguous(at::MemoryFormat::ChannelsLast));
  const at::Tensor tokens = typed(input("x", {2, 7, 64}).div(128));
  expect_close(LayerNorm(w, 64)(tokens),
               at::layer_norm(tokens.to(at::kFloat), {64}, parameter("weight"), parameter("bias"), 1e-5));
}

/// Values that lie close together far from zero, more pixels than are taken at once, and the second sample unlike the
/// first: against float64.
TEST_P(Ops, GroupNormIsExactFarFromZero) {
  const Weights w = weights({{"weight", {64}}, {"bias", {64}}});
  const auto parameter = [&](const char* name) { return w.raw(name, {64}).to(GetParam()).to(at::kDouble); };
  at::Tensor x = places("x", {2, 64, 24, 27}).mul(GetParam() == at::kFloat ? 0.01 : 10);
  x.select(0, 0).add_(100);
  x.select(0, 1).sub_(50);
  x = typed(x);
  const at::Tensor exact =
      at::group_norm(x.to(at::kDouble).contiguous(), 32, parameter("weight"), parameter("bias"), 1e-6);
  expect_close(GroupNorm(w, 64, 1e-6)(x), exact.to(at::kFloat));
  expect_close(GroupNorm(w, 64, 1e-6).silu(x), at::silu(exact).to(at::kFloat));
}

TEST_P(Ops, GegluMultipliesTheFirstHalfByTheGeluOfTheSecond) {
  const Weights w = weights({{"weight", {96, 40}}, {"bias", {96}}});
  const at::Tensor x = typed(input("x", {2, 5, 40}));
  const auto halves = at::linear(x.to(at::kFloat), w.raw("weight", {96, 40}).to(GetParam()).to(at::kFloat),
                                 w.raw("bias", {96}).to(GetParam()).to(at::kFloat))
                          .chunk(2, -1);
  expect_close(Geglu(w, 40, 48)(x), halves[0].mul(at::gelu(halves[1])));
}

at::Tensor attention_by_hand(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, int heads, bool causal) {
  const auto split = [heads](const at::Tensor& x) {
    return x.to(at::kFloat).view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
  };
  const double scale = 1 / std::sqrt(static_cast<double>(q.size(2)) / heads);
  at::Tensor scores = at::matmul(split(q), split(k).transpose(2, 3)).mul_(scale);
  if (causal) {
    const at::Tensor later = at::ones({q.size(1), k.size(1)}, at::kBool).triu(1);
    scores.masked_fill_(later, -std::numeric_limits<float>::infinity());
  }
  return at::matmul(at::softmax(scores, -1), split(v)).transpose(1, 2).reshape(q.sizes());
}

TEST_P(Ops, AttentionEqualsItsFormulaForEveryWidthOfAHeadAndLengthOfText) {
  for (const auto& [tokens, text, width, heads] : std::vector<std::array<std::int64_t, 4>>{
           {64, 64, 320, 8}, {64, 77, 320, 8}, {33, 33, 640, 8}, {16, 154, 1280, 8}, {7, 1, 64, 8}, {20, 20, 512, 1}}) {
    const at::Tensor q = typed(input("q", {2, tokens, width}));
    const at::Tensor k = typed(input("k", {2, text, width}));
    const at::Tensor v = typed(input("v", {2, text, width}));
    const at::Tensor y = attention(q, k, v, static_cast<int>(heads));
    expect_close(y, attention_by_hand(q, k, v, static_cast<int>(heads), false));
    EXPECT_TRUE(y.is_contiguous());
  }
}

TEST_P(Ops, CausalAttentionSeesNothingThatComesLater) {
  const at::Tensor q = typed(input("q", {2, 77, 64}));
  const at::Tensor k = typed(input("k", {2, 77, 64}));
  const at::Tensor v = typed(input("v", {2, 77, 64}));
  expect_close(attention(q, k, v, 4, AttentionMask::causal), attention_by_hand(q, k, v, 4, true));
}

INSTANTIATE_TEST_SUITE_P(InEachType, Ops, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& info) { return std::string(c10::toString(info.param)); });

/// Bytes of a file's mapping that are in this process's memory.
std::size_t resident(const std::string& file) {
  std::ifstream maps("/proc/self/smaps");
  std::size_t kilobytes = 0;
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) inside = line.ends_with(file);
    if (inside && line.starts_with("Rss:")) kilobytes += std::stoul(line.substr(4));
  }
  return kilobytes * 1024;
}

TEST(PackedWeights, GiveThePagesOfTheirFileBack) {
  const refrain::testing::TemporaryFolder folder;
  const std::string file = folder / "a.safetensors";
  write_safetensors(file, {{"linear.weight", at::ones({2048, 2048}, at::kHalf)},
                           {"linear.bias", at::ones({2048}, at::kHalf)},
                           {"conv.weight", at::ones({512, 512, 3, 3}, at::kHalf)},
                           {"conv.bias", at::ones({512}, at::kHalf)}});
  const auto source = open_safetensors(file);
  at::Tensor sum = source->tensor("linear.weight").sum().add(source->tensor("conv.weight").sum());
  EXPECT_GT(resident(file), 8'000'000);  // 13 MB were read
  const Weights weights(source, {});
  const Linear linear(weights / "linear", 2048, 2048);
  const Conv2d conv(weights / "conv", 512, 512);
  conv(places("x", {1, 512, 4, 4}));  // a convolution is packed for the first size that it meets
  EXPECT_LT(resident(file), 1'000'000);
}

TEST(Linear, OfAMissingBiasNamesIt) {
  const Weights w(std::make_shared<const Source>(std::map<std::string, std::vector<std::int64_t>>{{"weight", {4, 4}}}),
                  {});
  EXPECT_THROW(Linear(w, 4, 4), ModelError);
}

}  // namespace
}  // namespace refrain::diffusion
