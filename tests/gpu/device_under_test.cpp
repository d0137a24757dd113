#include "gpu/device_under_test.hpp"

#include <ATen/Context.h>

#include <cstdlib>

namespace refrain::testing {

c10::Device device_under_test() {
  const char* named = std::getenv("REFRAIN_TEST_DEVICE");
  return c10::Device(named != nullptr ? named : "cuda");
}

bool device_is_there() { return device_under_test().is_cpu() || at::hasCUDA(); }

}  // namespace refrain::testing
