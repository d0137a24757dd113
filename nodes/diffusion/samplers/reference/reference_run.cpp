#include "samplers/reference/reference_run.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <refrain/diffusion/error.hpp>

#include <cmath>

namespace refrain::diffusion {

namespace {

/// sqrt(1 + sigma^2) = 1 / sqrt(a), in the denoiser's own precision: what it divides by.
float scale_of(float sigma) { return std::sqrt(sigma * sigma + 1); }

at::Tensor random(const at::Tensor& x, const at::Generator& generator) {
  return at::randn(x.sizes(), generator, at::TensorOptions(at::kFloat)).to(x.device());
}

}  // namespace

ReferenceRun::ReferenceRun(const ReferenceSampler& sampler, const Denoiser& denoise, const std::vector<float>& sigmas,
                           const SamplerOptions& options, const at::Device& device)
    : denoise_(denoise),
      sigmas_(sigmas),
      options_(options),
      alphas_(reference_alphas(sampler.law, sampler.convention).to(device)),
      generator_(at::detail::createCPUGenerator(options.noise_seed)) {
  for (std::size_t i = 0; i + 1 < sigmas.size(); ++i) {
    if (!(sigmas[i] > 0)) {
      throw Error("bad_sigmas", "a sampler of the references needs sigmas above 0 before the last one");
    }
    timesteps_.push_back(static_cast<int>(sampler.schedule->timestep(sigmas[i])));
  }
}

at::Tensor ReferenceRun::start(const at::Tensor& x) const {
  const bool from_noise = options_.noise.defined() && options_.latent.defined() &&
                          options_.latent.count_nonzero().item<std::int64_t>() == 0;
  return from_noise ? options_.noise.clone() : x / scale_of(sigmas_.front());
}

at::Tensor ReferenceRun::prediction(const at::Tensor& x, int step, Place place) const {
  const float sigma = sigmas_[step];
  const at::Tensor scaled = x * scale_of(sigma);
  return (scaled - denoise_(scaled, sigma, place)) / sigma;
}

at::Tensor ReferenceRun::end() const {
  return sigmas_.back() > 0 ? alpha_at(0) : at::ones({1, 1, 1, 1}, alphas_.options());
}

at::Tensor ReferenceRun::alpha(int step) const { return alpha_at(timesteps_[step]); }

at::Tensor ReferenceRun::next_in_list(int step) const { return step + 1 < steps() ? alpha(step + 1) : end(); }

at::Tensor ReferenceRun::next_by_stride(int step) const {
  const int next = timesteps_[step] - stride();
  return next >= 0 ? alpha_at(next) : end();
}

at::Tensor ReferenceRun::noise(const at::Tensor& x) {
  if (!started_) random(x, generator_);  // what x began as
  started_ = true;
  return random(x, generator_);
}

void ReferenceRun::report(int step, const at::Tensor& x, const at::Tensor& denoised) const {
  if (options_.on_step) options_.on_step({step, steps(), sigmas_[step], x, denoised});
}

at::Tensor ReferenceSampler::operator()(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                                        const SamplerOptions& options) const {
  const bool known = method == Method::ddim || (method == Method::plms && convention != Convention::ermongroup) ||
                     (method == Method::ddpm && convention != Convention::ldm);
  if (!known || !schedule) {
    throw Error("bad_reference_sampler",
                "this sampler is not one of that implementation: ldm has ddim and plms, "
                "ermongroup ddim and ddpm, diffusers all three");
  }
  ReferenceRun run(*this, denoise, sigmas, options, x.device());
  if (run.steps() == 0) return x;
  const at::Tensor start = run.start(x);
  switch (method) {
    case Method::ddim: return run_ddim(*this, run, start);
    case Method::plms: return run_plms(*this, run, start);
    case Method::ddpm: break;
  }
  return run_ddpm(*this, run, start);
}

}  // namespace refrain::diffusion
