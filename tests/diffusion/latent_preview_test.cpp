// A latent as colours.

#include <refrain/diffusion/latent_preview.hpp>

#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

namespace refrain::diffusion {
namespace {

TEST(LatentPreview, IsComfyUIsLinearMapOfTheChannels) {
  at::Tensor latent = at::zeros({2, 4, 1, 2});
  for (int c = 0; c < 4; ++c) latent[0][c][0][1] = 0.5F * static_cast<float>(c) - 0.5F;  // -0.5, 0, 0.5, 1
  const at::Tensor pixels = latent_preview(latent);
  ASSERT_EQ(pixels.sizes(), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(pixels[0][0][0].item<float>(), 0.5F) << "zero is grey";
  // Computed by ComfyUI 0.3.64's Latent2RGBPreviewer with SD15's factors on the same latent, before it rounds to bytes;
  // the tolerance is that of adding four float32 products in another order.
  const float expected[] = {0.23547499F, 0.35582501F, 0.12849998F};
  for (int c = 0; c < 3; ++c) EXPECT_NEAR(pixels[0][1][c].item<float>(), expected[c], 1e-6F) << c;
}

TEST(LatentPreview, StaysWithinTheRangeOfAPicture) {
  at::Tensor latent = at::zeros({1, 4, 1, 1});
  latent[0][3] = 50;
  EXPECT_EQ(latent_preview(latent).max().item<float>(), 0);
  latent[0][3] = -50;
  EXPECT_EQ(latent_preview(latent).min().item<float>(), 1);
}

TEST(LatentPreview, IsUndefinedForLatentsWhoseColoursNobodyKnows) {
  EXPECT_FALSE(latent_preview(at::zeros({1, 3, 8, 8})).defined());
}

}  // namespace
}  // namespace refrain::diffusion
