// How much of the possible speed-up a uniform cache at depth 0 reaches on the CPU, for SD 1.5 and LDM-4-G: a run
// through the cached denoiser against as many full evaluations, beside what the costs of single, uncached evaluations
// allow and what the saved operations would. Weights are random: their values change no time. Usage: caching_bench
// [latent side, 64] [steps, 20] [repeats, 3] [bf16 or fp32, bf16]

#include "random_source.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/unet.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace refrain::diffusion;
using Clock = std::chrono::steady_clock;

struct Case {
  const char* name;
  UNetConfig config;
  int tokens;
};

Case stable_diffusion() { return {"SD 1.5", {}, 77}; }

Case latent_diffusion() {
  UNetConfig config;
  config.in_channels = config.out_channels = 3;
  config.model_channels = 192;
  config.channel_mult = {1, 2, 3, 5};
  config.transformer_depth = {0, 1, 1, 1};
  config.heads = 1;
  config.context_dim = 512;
  return {"LDM-4-G", config, 1};
}

double median_seconds(int repeats, const auto& function) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const auto start = Clock::now();
    function();
    times.push_back(std::chrono::duration<double>(Clock::now() - start).count());
  }
  std::ranges::sort(times);
  return times[times.size() / 2];
}

void measure(const Case& network_case, at::ScalarType dtype, int side, int steps, int repeats) {
  const auto& [name, config, tokens] = network_case;
  const auto source = std::make_shared<const refrain::bench::RandomSource>(config);
  const auto unet = std::make_shared<const UNet>(config, Weights(source, {at::kCPU, dtype}, "model.diffusion_model"));
  const auto options = at::TensorOptions(dtype);
  const UNetInput input{at::randn({2, config.in_channels, side, side}).to(options), at::full({2}, 500.0),
                        at::randn({2, tokens, config.context_dim}).to(options)};
  const std::vector<int> depth{0};
  const UNetResult kept = unet->evaluate(input, {.keep = depth});
  unet->evaluate(input, {Evaluate::deep(0), kept.kept[0], {}});

  const double full = median_seconds(repeats, [&] { unet->evaluate(input); });
  const double deep = median_seconds(5 * repeats, [&] {
    unet->evaluate(input, {Evaluate::deep(0), kept.kept[0], {}});
  });
  const double full_macs = unet->macs(Evaluate::full(), side, side, tokens).total();
  const double deep_macs = unet->macs(Evaluate::deep(0), side, side, tokens).total();
  std::printf("\n%s, latent %d x %d, %s: full %.4f s, depth 0 %.4f s\n", name, side, side, c10::toString(dtype), full,
              deep);
  for (const int interval : {2, 3, 5, 10}) {
    const int whole = (steps + interval - 1) / interval;
    const double cached = median_seconds(repeats, [&] {
      CachedDenoiser denoiser(make_network(unet), std::make_shared<UniformCache>(interval, 0),
                              std::vector<double>(static_cast<std::size_t>(steps) + 1, 1.0));
      for (int step = 0; step < steps; ++step) denoiser.evaluate({&input, 1}, 1, {step, 0});
    });
    const double real = steps * full / cached;
    const double ideal = steps * full / (whole * full + (steps - whole) * deep);
    const double by_macs = steps * full_macs / (whole * full_macs + (steps - whole) * deep_macs);
    std::printf("  every %2d: %5.2f times as fast; %5.2f by measured costs (%.3f of it), %5.2f by operations (%.3f)\n",
                interval, real, ideal, real / ideal, by_macs, real / by_macs);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int side = argc > 1 ? std::atoi(argv[1]) : 64;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 20;
  const int repeats = argc > 3 ? std::atoi(argv[3]) : 3;
  const at::ScalarType dtype = argc > 4 && std::string(argv[4]) == "fp32" ? at::kFloat : at::kBFloat16;
  std::printf("U-Net alone, both halves of guidance in one batch, %d threads, %d steps, medians of %d\n",
              at::get_num_threads(), steps, repeats);
  measure(stable_diffusion(), dtype, side, steps, repeats);
  measure(latent_diffusion(), dtype, side, steps, repeats);
  return 0;
}
