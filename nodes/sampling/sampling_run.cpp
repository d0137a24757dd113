#include "sampling_run.hpp"

#include <ATen/ops/zeros_like.h>

#include <utility>

#include "sampling_report.hpp"
#include "tell_step.hpp"

namespace refrain {
namespace {

/// An empty latent fits every model: it takes on the number of channels that this one has. Follows comfy/sample.py
/// (fix_empty_latent_channels).
at::Tensor fitted(const at::Tensor& samples, const diffusion::Model& model) {
  const std::int64_t have = samples.dim() == 4 ? samples.size(1) : 0, want = model.latent_channels;
  if (have == 0 || have == want || samples.count_nonzero().item<std::int64_t>() > 0) return samples;
  return samples.repeat({1, (want + have - 1) / have, 1, 1}).narrow(1, 0, want);
}

at::Tensor drawn(const diffusion::NoiseChoice& noise, const at::Tensor& samples, const Latent& start) {
  if (noise.none) return at::zeros_like(samples);
  if (start.batch_index.empty()) return diffusion::make_noise(samples.sizes(), noise.seed);
  return diffusion::make_noise(samples.sizes(), noise.seed, start.batch_index);
}

}  // namespace

Choices sampler_choices(const Host&) { return diffusion::sampler_names(); }
Choices scheduler_choices(const Host&) { return diffusion::scheduler_names(); }

SampledLatents run_sampling(Context& ctx, diffusion::SamplingRequest request, const Latent& start,
                            const diffusion::NoiseChoice& noise) {
  request.noise_mask = start.noise_mask;
  request.latent = fitted(start.samples, *request.model);
  request.noise = drawn(noise, request.latent, start);
  request.seed = noise.seed;
  request.on_step = [&ctx](const diffusion::StepReport& done) { tell_step(ctx, done); };

  ctx.check();
  diffusion::SamplingResult sampled = diffusion::sample(request);
  ctx.report("sampling", sampling_report_json(sampled.report));
  const auto latent = [&](at::Tensor samples) {
    return Latent{std::move(samples), start.noise_mask, start.batch_index};
  };
  const at::Tensor denoised = sampled.denoised.defined() ? sampled.denoised : sampled.latent;
  return {latent(sampled.latent), latent(denoised)};
}

}  // namespace refrain
