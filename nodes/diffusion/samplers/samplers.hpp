#pragma once
// The samplers: ways to solve dx = (x - D(x; s)) / s ds from the first sigma to the last. One a file; samplers.cpp
// lists them. x is [N, C, h, w] float32; sums and products are done in the order of k-diffusion, so that results differ
// from ComfyUI's by no more than rounding.

#include <refrain/diffusion/sampling.hpp>

#include <span>

namespace refrain::diffusion {

at::Tensor sample_euler(const Denoiser&, at::Tensor x, const std::vector<float>& sigmas, const SamplerOptions&);
at::Tensor sample_euler_ancestral(const Denoiser&, at::Tensor x, const std::vector<float>& sigmas,
                                  const SamplerOptions&);
at::Tensor sample_heun(const Denoiser&, at::Tensor x, const std::vector<float>& sigmas, const SamplerOptions&);
at::Tensor sample_dpmpp_2m(const Denoiser&, at::Tensor x, const std::vector<float>& sigmas, const SamplerOptions&);
at::Tensor sample_ddim(const Denoiser&, at::Tensor x, const std::vector<float>& sigmas, const SamplerOptions&);

/// A sampler with what a KSampler must know about it.
struct SamplerEntry {
  const char* name;
  Sampler sample;
  bool drops_penultimate;  ///< wants n + 1 sigmas, less the last but one: those with a stage below the last sigma
};

/// All samplers, in ComfyUI's order.
std::span<const SamplerEntry> samplers();
/// Throws Error listing all names when there is no sampler called `name`.
const SamplerEntry& find_sampler_entry(const std::string& name);

/// dx/ds = (x - D) / s.
at::Tensor derivative(const at::Tensor& x, float sigma, const at::Tensor& denoised);

/// Steps of a run over `sigmas`.
inline int step_count(const std::vector<float>& sigmas) {
  return sigmas.empty() ? 0 : static_cast<int>(sigmas.size()) - 1;
}

/// Tells the caller that a step from `x` is done.
void report(const SamplerOptions& options, const std::vector<float>& sigmas, int step, const at::Tensor& x,
            const at::Tensor& denoised);

}  // namespace refrain::diffusion
