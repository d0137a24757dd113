#pragma once
// The device that the GPU tests run on.

#include <c10/core/Device.h>
#include <gtest/gtest.h>

namespace refrain::testing {

/// cuda, or what REFRAIN_TEST_DEVICE names.
c10::Device device_under_test();
/// Whether this machine and this libtorch have it.
bool device_is_there();

}  // namespace refrain::testing

/// First line of a test: ends it as skipped where there is no such device.
#define REFRAIN_SKIP_WITHOUT_DEVICE()       \
  if (!refrain::testing::device_is_there()) \
  GTEST_SKIP() << "no device " << refrain::testing::device_under_test().str() << " here, or a libtorch without it"
