#include <refrain/testing.hpp>

#include <ATen/ops/full.h>

#include <gtest/gtest.h>

namespace {

using namespace refrain;

/// The first value of the result, for pictures of one grey.
double brightened(double grey, double gain) {
  testkit::Call call(refrain_plugin_v1, "Brightness");
  call.with("image", Image{at::full({1, 2, 2, 3}, grey)}).with("gain", gain).run();
  return call.output<Image>("IMAGE").pixels.flatten()[0].item<double>();
}

// Powers of two, so that the arithmetic is exact.
TEST(Brightness, ScalesPixels) { EXPECT_EQ(brightened(0.25, 2.0), 0.5); }

TEST(Brightness, StaysInRange) { EXPECT_EQ(brightened(0.25, 8.0), 1.0); }

TEST(Brightness, LeavesTheImageAsItIsByDefault) {
  const at::Tensor pixels = at::full({1, 2, 2, 3}, 0.25);
  testkit::Call call(refrain_plugin_v1, "Brightness");
  EXPECT_TRUE(call.with("image", Image{pixels}).run().output<Image>("IMAGE").pixels.equal(pixels));
}

}  // namespace
