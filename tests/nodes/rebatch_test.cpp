// RebatchLatents. What it should give was computed by ComfyUI 0.3.64 (tests/reference/vectors_rebatch.py).

#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <ATen/ops/rand.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "diffusion/golden_vectors.hpp"
#include "nodes/node_runner.hpp"

namespace refrain::testing {
namespace {

using diffusion::testing::GoldenVectors;
using diffusion::testing::identical;

const GoldenVectors& golden() {
  static const GoldenVectors vectors("rebatch.safetensors");
  return vectors;
}

std::vector<std::int64_t> numbers(const at::Tensor& tensor) {
  const std::int64_t* first = tensor.const_data_ptr<std::int64_t>();
  return {first, first + tensor.numel()};
}

/// The latents below a path: "join/in/0/samples", ...
std::vector<Latent> listed(const std::string& path) {
  std::vector<Latent> latents;
  for (;;) {
    const std::string one = path + std::to_string(latents.size()) + "/";
    const std::vector<std::string> parts = golden().names(one);
    if (parts.empty()) return latents;
    Latent& latent = latents.emplace_back();
    for (const std::string& part : parts) {
      const at::Tensor& tensor = golden()[one + part];
      if (part == "samples") latent.samples = tensor;
      if (part == "noise_mask") latent.noise_mask = tensor.to(at::kFloat);
      if (part == "batch_index") latent.batch_index = numbers(tensor);
    }
  }
}

class Rebatching : public ::testing::TestWithParam<const char*> {};

TEST_P(Rebatching, GivesComfyUIsBatches) {
  const std::string name = GetParam();
  std::vector<Value> given;
  for (Latent& latent : listed(name + "/in/")) given.push_back(value(std::move(latent)));
  ASSERT_FALSE(given.empty());
  for (const int size : {1, 2, 3, 64}) {
    const auto out = NodeRunner().run_on_list("RebatchLatents", "latents", given, {{"batch_size", integer(size)}});
    const std::vector<Latent> wanted = listed(name + "/out/" + std::to_string(size) + "/");
    ASSERT_EQ(out.size(), wanted.size()) << size;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto& latent = out[i].as<Latent>();
      EXPECT_TRUE(identical(latent.samples, wanted[i].samples)) << size << ", " << i;
      EXPECT_EQ(latent.batch_index, wanted[i].batch_index) << size << ", " << i;
      ASSERT_EQ(latent.noise_mask.defined(), wanted[i].noise_mask.defined()) << size << ", " << i;
      if (latent.noise_mask.defined()) {
        EXPECT_TRUE(identical(latent.noise_mask, wanted[i].noise_mask)) << size << ", " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Lists, Rebatching, ::testing::Values("split", "join", "sizes", "masks", "indices"),
                         [](const auto& test) { return std::string(test.param); });

TEST(RebatchLatents, RefusesToJoinMasksOfDifferentSizes) {
  const Value one = value(Latent{at::zeros({1, 4, 4, 6}), at::rand({1, 1, 32, 48}), {}});
  const Value other = value(Latent{at::zeros({1, 4, 4, 6}), at::rand({1, 1, 16, 24}), {}});
  EXPECT_THROW(NodeRunner().run_on_list("RebatchLatents", "latents", {one, other}, {{"batch_size", integer(2)}}),
               NodeError);
}

}  // namespace
}  // namespace refrain::testing
