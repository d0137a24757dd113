#pragma once
// The samplers: ways to solve dx = (x - D(x; s)) / s ds from the first sigma to the last. One a file; samplers.cpp
// lists them. x is [N, C, h, w] float32; sums and products are done in the order of k-diffusion, so that results differ
// from ComfyUI's by no more than rounding.

#include <refrain/diffusion/sampling.hpp>

#include <cmath>
#include <span>

namespace refrain::diffusion {

using Sigmas = std::vector<float>;

at::Tensor sample_ddim(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_ddpm(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_deis(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpm_2(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpm_2_ancestral(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpm_adaptive(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpm_fast(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpmpp_2m(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpmpp_2m_sde(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpmpp_2s_ancestral(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpmpp_3m_sde(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_dpmpp_sde(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_euler(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_euler_ancestral(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_euler_cfg_pp(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_heun(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_heunpp2(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_ipndm(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_ipndm_v(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_lcm(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_lms(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_res_multistep(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_uni_pc(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
at::Tensor sample_uni_pc_bh2(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);

/// A sampler with what a KSampler must know about it.
struct SamplerEntry {
  const char* name;
  at::Tensor (*sample)(const Denoiser&, at::Tensor x, const Sigmas&, const SamplerOptions&);
  bool drops_penultimate =
      false;                   ///< wants n + 1 sigmas, less the last but one: those with a stage below the last sigma
  bool redraws_noise = false;  ///< outside of a noise mask the noise is drawn anew, with seed + 1
};

/// All samplers, in ComfyUI's order.
std::span<const SamplerEntry> samplers();
/// Throws Error listing all names when there is no sampler called `name`.
const SamplerEntry& find_sampler_entry(const std::string& name);

/// dx/ds = (x - D) / s.
at::Tensor derivative(const at::Tensor& x, float sigma, const at::Tensor& denoised);

/// Half the logarithm of the signal-to-noise ratio, -log s: the time of exponential integrators.
inline float log_snr(float sigma) { return -std::log(sigma); }

/// Steps of a run over `sigmas`.
inline int step_count(const Sigmas& sigmas) { return sigmas.empty() ? 0 : static_cast<int>(sigmas.size()) - 1; }

/// Tells the caller that a step from `x` is done.
void report(const SamplerOptions& options, const Sigmas& sigmas, int step, const at::Tensor& x,
            const at::Tensor& denoised);

}  // namespace refrain::diffusion
