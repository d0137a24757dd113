// PSNR, SSIM and latent errors, against scikit-image 0.25.2 (tests/reference/picture_metrics.py prints the numbers).

#include <gtest/gtest.h>

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "apps/cli/compare/metrics.hpp"

namespace refrain::cli {
namespace {

/// The pictures of the generator, by the same formula.
std::pair<Picture, Picture> pictures(int width, int height) {
  Picture first(width, height, 0), second(width, height, 0);
  for (int y = 0, i = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c, ++i) {
        const int value = (x * 7 + y * 3 + c * 29 + x * y / 4) % 256;
        const int moved = std::clamp(value + (x * 31 + y * 17 + c * 5) % 41 - 20, 0, 255);
        first.rgb[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(value);
        second.rgb[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(moved);
      }
    }
  }
  return {first, second};
}

// Both compute in float64: what is left is the order of summation.
constexpr double kTolerance = 1e-9;

TEST(PictureMetrics, AgreeWithScikitImage) {
  struct Case {
    int width, height;
    double psnr, ssim;
  };
  for (const Case& wanted :
       {Case{40, 24, 26.84317716464225, 0.8902127620103725}, Case{11, 11, 26.682617954877728, 0.7621725378492855},
        Case{64, 64, 26.875538267491628, 0.9458653854653051}}) {
    const auto [a, b] = pictures(wanted.width, wanted.height);
    EXPECT_NEAR(psnr(a, b), wanted.psnr, kTolerance) << wanted.width;
    EXPECT_NEAR(ssim(a, b), wanted.ssim, kTolerance) << wanted.width;
    EXPECT_NEAR(ssim(b, a), wanted.ssim, kTolerance) << wanted.width;
  }
}

TEST(PictureMetrics, CallEqualPicturesEqual) {
  const auto [a, b] = pictures(20, 20);
  EXPECT_TRUE(std::isinf(psnr(a, a)));
  EXPECT_EQ(ssim(b, b), 1);
}

TEST(PictureMetrics, HaveNoSimilarityOfPicturesSmallerThanTheWindow) {
  const auto [a, b] = pictures(10, 30);
  EXPECT_TRUE(std::isnan(ssim(a, b)));
}

TEST(LatentError, IsRelativeToTheReference) {
  const at::Tensor reference = at::full({1, 4, 2, 2}, 2.0F);
  at::Tensor x = reference.clone();
  x.mutable_data_ptr<float>()[3] = 5;
  const TensorError error = tensor_error(x, reference);
  EXPECT_DOUBLE_EQ(error.relative_l2, 3.0 / 8.0);  // |x - r| = 3, |r| = sqrt(16 * 4)
  EXPECT_EQ(error.max_abs, 3);
  EXPECT_EQ(tensor_error(reference, reference).relative_l2, 0);
}

TEST(LatentError, IsAbsoluteWhereTheReferenceIsZero) {
  EXPECT_EQ(tensor_error(at::full({4}, 3.0F), at::zeros({4})).relative_l2, 6);
}

}  // namespace
}  // namespace refrain::cli
