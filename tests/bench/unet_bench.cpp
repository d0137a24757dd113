// One guided step of SD 1.5 (the U-Net on a batch of two) on the CPU, whole and from each depth, in float32 and
// bfloat16. Weights are random: their values change no time. Usage: unet_bench [latent side, 64] [repeats, 3]

#include "machine_peak.hpp"
#include "random_source.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/record_function.h>
#include <refrain/diffusion/unet.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace {

using namespace refrain::diffusion;
using Clock = std::chrono::steady_clock;

constexpr int kTokens = 77;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Sums the time of outermost operators by name while it lives. One thread calls the network.
class OperatorTimes {
 public:
  OperatorTimes() {
    running_ = this;
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(&OperatorTimes::begin, &OperatorTimes::end).scopes({at::RecordScope::FUNCTION}));
  }
  ~OperatorTimes() {
    at::removeCallback(handle_);
    running_ = nullptr;
  }

  void print(double total) const {
    std::vector<std::pair<double, std::string>> order;
    double other = total;
    for (const auto& [name, seconds] : seconds_) {
      order.emplace_back(seconds, name);
      other -= seconds;
    }
    std::sort(order.rbegin(), order.rend());
    for (const auto& [seconds, name] : order) {
      if (seconds > 0.003 * total)
        std::printf("    %5.1f %%  %7.3f s  %s\n", 100 * seconds / total, seconds, name.c_str());
    }
    std::printf("    %5.1f %%  %7.3f s  outside of operators\n", 100 * other / total, other);
  }

 private:
  struct Start final : at::ObserverContext {
    Clock::time_point time = Clock::now();
  };

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
    ++running_->depth_;
    return std::make_unique<Start>();
  }
  static void end(const at::RecordFunction& function, at::ObserverContext* context) {
    if (--running_->depth_ == 0)
      running_->seconds_[function.name()] += seconds_since(static_cast<Start*>(context)->time);
  }

  static inline thread_local OperatorTimes* running_ = nullptr;
  at::CallbackHandle handle_ = 0;
  int depth_ = 0;
  std::map<std::string, double> seconds_;
};

double best_of(int repeats, const auto& function) {
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    const auto start = Clock::now();
    function();
    best = std::min(best, seconds_since(start));
  }
  return best;
}

void measure(at::ScalarType dtype, int side, int repeats, double peak) {
  const auto start = Clock::now();
  using refrain::bench::RandomSource;
  const UNet unet({}, Weights(std::make_shared<const RandomSource>(), {at::kCPU, dtype}, RandomSource::kUNetPath));
  std::printf("\n%s: drawn and packed in %.1f s\n", c10::toString(dtype), seconds_since(start));
  const UNetInput input{at::randn({2, 4, side, side}), at::full({2}, 500.0), at::randn({2, kTokens, 768})};
  const std::vector<int> depths{0, 1, 2, 3, 6, 11};
  const UNetResult kept = unet.evaluate(input, {Evaluate::full(), {}, depths});

  const double full = best_of(repeats, [&] { unet.evaluate(input); });
  const double full_macs = unet.macs(Evaluate::full(), side, side, kTokens).total();
  std::printf("  full: %.3f s, %.0f GFLOP/s, %.2f of the peak\n", full, 4e-9 * full_macs / full,
              4e-9 * full_macs / full / peak);
  for (std::size_t i = 0; i < depths.size(); ++i) {
    const Evaluate deep = Evaluate::deep(depths[i]);
    const double time = best_of(repeats, [&] { unet.evaluate(input, {deep, kept.kept[i], {}}); });
    const double macs = unet.macs(deep, side, side, kTokens).total();
    // Interval 5: one full evaluation, then four from this depth.
    const double ideal = 5 * full_macs / (full_macs + 4 * macs);
    const double real = 5 * full / (full + 4 * time);
    std::printf(
        "  from depth %2d: %.3f s, %.0f GFLOP/s; every fifth full: %.2f times as fast, %.2f by operations (%.2f of "
        "it)\n",
        depths[i], time, 4e-9 * macs / time, real, ideal, real / ideal);
  }
  const OperatorTimes times;
  const auto begin = Clock::now();
  unet.evaluate(input);
  times.print(seconds_since(begin));
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int side = argc > 1 ? std::atoi(argv[1]) : 64;
  const int repeats = argc > 2 ? std::atoi(argv[2]) : 3;
  const double fma = refrain::bench::fma_peak();
  const double product = refrain::bench::bfloat16_product_rate();
  std::printf(
      "SD 1.5, %d x %d pixels, one guided step; %d threads; float32 peak %.0f GFLOP/s, a bfloat16 product %.0f\n",
      8 * side, 8 * side, at::get_num_threads(), fma, product);
  measure(at::kFloat, side, repeats, fma);
  measure(at::kBFloat16, side, repeats, product);
  return 0;
}
