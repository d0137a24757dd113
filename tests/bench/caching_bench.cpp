// How much of the possible speed-up a uniform cache reaches on the CPU, for SD 1.5 and LDM-4-G at depth 0 and for DDPM
// at the depth of its published figures: a run through the cached denoiser against as many full evaluations, beside
// what the costs of single, uncached evaluations allow and what the saved operations would. Everything is measured anew
// in every round, one after the other, so that a slower minute of the machine slows all of it; medians of the rounds.
// Weights are random: their values change no time. Usage: caching_bench [latent side, 64] [steps, 20] [rounds, 3]
// [bf16 or fp32, bf16] [sd15, ldm4g, lsun or cifar; all]

#include "random_source.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/policies.hpp>
#include <refrain/diffusion/unet.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace {

using namespace refrain::diffusion;
using refrain::bench::RandomSource;
using Clock = std::chrono::steady_clock;

constexpr std::array kIntervals{2, 3, 5, 10};

struct Case {
  const char* key;
  const char* name;
  UNetConfig config;
  double sides;  ///< of its latents, where SD 1.5's have one
  int samples;   ///< of a batch: both halves of guidance, or pictures
  int tokens;
  int depth;
};

Case stable_diffusion() { return {"sd15", "SD 1.5", {}, 1, 2, 77, 0}; }

Case latent_diffusion() {
  UNetConfig config;
  config.in_channels = config.out_channels = 3;
  config.model_channels = 192;
  config.channel_mult = {1, 2, 3, 5};
  config.transformer_depth = {0, 1, 1, 1};
  config.heads = 1;
  config.context_dim = 512;
  config.resnet_norms_counted = false;
  return {"ldm4g", "LDM-4-G", config, 1, 2, 1, 0};
}

UNetConfig ddpm_config(std::vector<int> channel_mult, std::vector<int> attention) {
  UNetConfig config;
  config.style = UNetStyle::ddpm;
  config.in_channels = config.out_channels = 3;
  config.model_channels = 128;
  config.channel_mult = std::move(channel_mult);
  config.transformer_depth = std::move(attention);
  config.context_dim = 0;
  return config;
}

Case lsun() { return {"lsun", "DDPM, LSUN", ddpm_config({1, 1, 2, 2, 4, 4}, {0, 0, 0, 0, 1, 0}), 4, 1, 1, 2}; }
Case cifar() { return {"cifar", "DDPM, CIFAR-10", ddpm_config({1, 2, 2, 2}, {0, 1, 0, 0}), 0.5, 8, 1, 2}; }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double seconds(const auto& function) {
  const auto start = Clock::now();
  function();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median_seconds(int repeats, const auto& function) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) times.push_back(seconds(function));
  return median(std::move(times));
}

/// The rounds' figures for one interval.
struct Rounds {
  std::vector<double> realised;  ///< times as fast as full evaluations
  std::vector<double> ideal;     ///< by the measured costs
  std::vector<double> shares;    ///< of the two
};

class Measurement {
 public:
  Measurement(const Case& one, at::ScalarType dtype, int side, int steps)
      : case_(one), steps_(steps), side_(std::max(8, static_cast<int>(side * one.sides))) {
    const UNetConfig& config = case_.config;
    unet_ = std::make_shared<const UNet>(
        config, Weights(std::make_shared<const RandomSource>(config), {at::kCPU, dtype}, RandomSource::kUNetPath));
    const auto options = at::TensorOptions(dtype);
    input_ = {at::randn({case_.samples, config.in_channels, side_, side_}).to(options),
              at::full({case_.samples}, 500.0),
              at::randn({case_.samples, case_.tokens, std::max(config.context_dim, 1)}).to(options)};
    const std::vector<int> depth{case_.depth};
    feature_ = unet_->evaluate(input_, {.keep = depth}).kept[0];
    deep();
  }

  void round() {
    const double full = median_seconds(3, [&] { unet_->evaluate(input_); });
    const double deep_time = median_seconds(9, [&] { deep(); });
    full_.push_back(full);
    deep_.push_back(deep_time);
    for (std::size_t i = 0; i < kIntervals.size(); ++i) {
      const int whole = full_steps(kIntervals[i]);
      const double realised = steps_ * full / seconds([&] { run(kIntervals[i]); });
      const double ideal = steps_ * full / (whole * full + (steps_ - whole) * deep_time);
      rounds_[i].realised.push_back(realised);
      rounds_[i].ideal.push_back(ideal);
      rounds_[i].shares.push_back(realised / ideal);
    }
  }

  void print(const char* type) const {
    std::printf("\n%s, %d x %d, %d in a batch, depth %d, %s: full %.4f s, cached %.4f s\n", case_.name, side_, side_,
                case_.samples, case_.depth, type, median(full_), median(deep_));
    const Macs full = macs(Evaluate::full()), deep = macs(Evaluate::deep(case_.depth));
    for (std::size_t i = 0; i < kIntervals.size(); ++i) {
      const auto& [realised, ideal, shares] = rounds_[i];
      const auto by = [&](double all, double part) {
        const int whole = full_steps(kIntervals[i]);
        return steps_ * all / (whole * all + (steps_ - whole) * part);
      };
      const double published = by(full.module, deep.module), executed = by(full.total(), deep.total());
      const double real = median(realised);
      std::printf("  every %2d: %5.2f times as fast; by measured costs %5.2f (%.3f of it, rounds %.3f to %.3f); ",
                  kIntervals[i], real, median(ideal), median(shares), *std::ranges::min_element(shares),
                  *std::ranges::max_element(shares));
      std::printf("by operations as published %5.2f (%.3f), as executed %5.2f (%.3f)\n", published, real / published,
                  executed, real / executed);
    }
  }

 private:
  int full_steps(int interval) const { return (steps_ + interval - 1) / interval; }
  void deep() const { unet_->evaluate(input_, {Evaluate::deep(case_.depth), feature_, {}}); }
  void run(int interval) const {
    CachedDenoiser denoiser(make_network(unet_), std::make_shared<UniformCache>(interval, case_.depth),
                            std::vector<double>(static_cast<std::size_t>(steps_) + 1, 1.0));
    for (int step = 0; step < steps_; ++step) denoiser.evaluate({&input_, 1}, 1, {step, 0});
  }
  Macs macs(Evaluate evaluate) const { return unet_->macs(evaluate, side_, side_, case_.tokens); }

  Case case_;
  int steps_;
  int side_;
  std::shared_ptr<const UNet> unet_;
  UNetInput input_;
  at::Tensor feature_;
  std::vector<double> full_, deep_;
  std::array<Rounds, kIntervals.size()> rounds_;
};

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const int side = argc > 1 ? std::atoi(argv[1]) : 64;
  const int steps = argc > 2 ? std::atoi(argv[2]) : 20;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 3;
  const at::ScalarType dtype = argc > 4 && std::string(argv[4]) == "fp32" ? at::kFloat : at::kBFloat16;
  const std::string chosen = argc > 5 ? argv[5] : "all";
  std::printf("U-Net alone, %d threads, %d steps, medians of %d rounds\n", at::get_num_threads(), steps, rounds);
  for (const Case& one : {stable_diffusion(), latent_diffusion(), lsun(), cifar()}) {
    if (chosen != "all" && chosen != one.key) continue;
    Measurement measurement(one, dtype, side, steps);
    for (int i = 0; i < rounds; ++i) measurement.round();
    measurement.print(c10::toString(dtype));
  }
  return 0;
}
