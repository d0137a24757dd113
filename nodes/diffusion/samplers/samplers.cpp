#include "samplers.hpp"

#include <ATen/TensorOperators.h>
#include <refrain/diffusion/error.hpp>

#include <array>

namespace refrain::diffusion {

namespace {

constexpr std::array kSamplers{
    SamplerEntry{"euler", sample_euler, false}, SamplerEntry{"euler_ancestral", sample_euler_ancestral, false},
    SamplerEntry{"heun", sample_heun, false},   SamplerEntry{"dpmpp_2m", sample_dpmpp_2m, false},
    SamplerEntry{"ddim", sample_ddim, false},
};

}  // namespace

std::span<const SamplerEntry> samplers() { return kSamplers; }

const SamplerEntry& find_sampler_entry(const std::string& name) {
  std::string known;
  for (const SamplerEntry& entry : kSamplers) {
    if (name == entry.name) return entry;
    known.append(known.empty() ? "" : ", ").append(entry.name);
  }
  throw Error("unknown_sampler", "there is no sampler \"" + name + "\"; there are: " + known);
}

Sampler find_sampler(const std::string& name) { return find_sampler_entry(name).sample; }

const std::vector<std::string>& sampler_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const SamplerEntry& entry : kSamplers) list.emplace_back(entry.name);
    return list;
  }();
  return names;
}

at::Tensor derivative(const at::Tensor& x, float sigma, const at::Tensor& denoised) { return (x - denoised) / sigma; }

void report(const SamplerOptions& options, const std::vector<float>& sigmas, int step, const at::Tensor& x,
            const at::Tensor& denoised) {
  if (options.on_step) options.on_step({step, step_count(sigmas), sigmas[step], x, denoised});
}

}  // namespace refrain::diffusion
