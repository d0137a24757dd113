#include <refrain/testing.hpp>

#include <refrain/diffusion/cache_policy.hpp>

#include <gtest/gtest.h>

namespace {

using namespace refrain;
using diffusion::CachePolicy;

/// Ten steps on a model with 12 skips: F where everything is computed, d where the rest is reused.
std::string actions(double start, std::int64_t depth) {
  testkit::Call call(refrain_plugin_v1, "LateCache");
  call.with("start", start).with("depth", depth).run();
  const auto session = call.output<CachePolicy>("CACHE_POLICY").begin({std::vector<double>(11), 12});
  EXPECT_EQ(session->needs().depths, std::vector{static_cast<int>(depth)});
  std::string text;
  for (int step = 0; step < 10; ++step) {
    const diffusion::Moment moment{.step = step, .evaluation = step, .progress = step / 10.0, .age = {1}};
    text += session->decide(moment).evaluate == diffusion::Evaluate::full() ? 'F' : 'd';
  }
  return text;
}

TEST(LateCache, ComputesTheStartWholeAndThenEverySecondStep) { EXPECT_EQ(actions(0.4, 0), "FFFFFdFdFd"); }

TEST(LateCache, ReusesNothingWhenItStartsAtTheEnd) { EXPECT_EQ(actions(1.0, 0), "FFFFFFFFFF"); }

}  // namespace
