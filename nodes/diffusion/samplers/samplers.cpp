#include "samplers.hpp"

#include <ATen/TensorOperators.h>
#include <refrain/diffusion/error.hpp>

#include <array>

namespace refrain::diffusion {

namespace {

constexpr bool kDropsPenultimate = true;
constexpr bool kRedrawsNoise = true;

constexpr std::array kSamplers{
    SamplerEntry{"euler", sample_euler},
    SamplerEntry{"euler_cfg_pp", sample_euler_cfg_pp},
    SamplerEntry{"euler_ancestral", sample_euler_ancestral},
    SamplerEntry{"heun", sample_heun},
    SamplerEntry{"heunpp2", sample_heunpp2},
    SamplerEntry{"dpm_2", sample_dpm_2, kDropsPenultimate},
    SamplerEntry{"dpm_2_ancestral", sample_dpm_2_ancestral, kDropsPenultimate},
    SamplerEntry{"lms", sample_lms},
    SamplerEntry{"dpm_fast", sample_dpm_fast},
    SamplerEntry{"dpm_adaptive", sample_dpm_adaptive},
    SamplerEntry{"dpmpp_2s_ancestral", sample_dpmpp_2s_ancestral},
    SamplerEntry{"dpmpp_sde", sample_dpmpp_sde},
    SamplerEntry{"dpmpp_2m", sample_dpmpp_2m},
    SamplerEntry{"dpmpp_2m_sde", sample_dpmpp_2m_sde},
    SamplerEntry{"dpmpp_3m_sde", sample_dpmpp_3m_sde},
    SamplerEntry{"ddpm", sample_ddpm},
    SamplerEntry{"lcm", sample_lcm},
    SamplerEntry{"ipndm", sample_ipndm},
    SamplerEntry{"ipndm_v", sample_ipndm_v},
    SamplerEntry{"deis", sample_deis},
    SamplerEntry{"res_multistep", sample_res_multistep},
    SamplerEntry{"ddim", sample_ddim, false, kRedrawsNoise},
    SamplerEntry{"uni_pc", sample_uni_pc, kDropsPenultimate},
    SamplerEntry{"uni_pc_bh2", sample_uni_pc_bh2, kDropsPenultimate},
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

Sampler find_sampler(const std::string& name) {
  const SamplerEntry& entry = find_sampler_entry(name);
  return {entry.name, entry.sample, entry.drops_penultimate, entry.redraws_noise};
}

const std::vector<std::string>& sampler_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const SamplerEntry& entry : kSamplers) list.emplace_back(entry.name);
    return list;
  }();
  return names;
}

at::Tensor derivative(const at::Tensor& x, float sigma, const at::Tensor& denoised) { return (x - denoised) / sigma; }

void report(const SamplerOptions& options, const Sigmas& sigmas, int step, const at::Tensor& x,
            const at::Tensor& denoised) {
  if (options.on_step) options.on_step({step, step_count(sigmas), sigmas[step], x, denoised});
}

}  // namespace refrain::diffusion
