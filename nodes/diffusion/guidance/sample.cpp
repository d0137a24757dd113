// A KSampler run from noise to latent. Follows comfy/samplers.py (CFGGuider, KSAMPLER) and comfy/model_sampling.py.

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/error.hpp>

#include <chrono>
#include <cmath>

#include "guided_denoiser.hpp"
#include "noise_mask.hpp"

namespace refrain::diffusion {

namespace {

void check_tensors(const SamplingRequest& request) {
  const at::Tensor &latent = request.latent, &noise = request.noise, &sigmas = request.sigmas;
  if (!latent.defined() || latent.dim() != 4 || latent.numel() == 0) {
    throw ShapeError("bad_latent", "the latent to sample is not of the form [N, C, h, w]");
  }
  if (!noise.defined() || noise.sizes() != latent.sizes()) {
    throw ShapeError("bad_noise", "the noise and the latent differ in shape");
  }
  if (latent.size(1) != request.model->latent_channels) {
    throw ShapeError("bad_latent", "the latent has " + std::to_string(latent.size(1)) + " channels; this model needs " +
                                       std::to_string(request.model->latent_channels));
  }
  if (!sigmas.defined() || sigmas.dim() != 1) throw ShapeError("bad_sigmas", "sigmas are not a list of numbers");
}

/// Whether a run starts from pure noise, as the model saw it at the last training step.
bool is_whole_run(float sigma, float sigma_max) {
  const bool close = std::abs(sigma - sigma_max) <= 1e-5 * std::max(sigma, sigma_max);
  return close || sigma > sigma_max;
}

/// x at the first sigma: latent + sigma * noise; sqrt(1 + sigma^2) in place of sigma for a whole run.
at::Tensor noised(const Model& model, const at::Tensor& latent, const at::Tensor& noise, float sigma) {
  const bool whole = is_whole_run(sigma, model.schedule->sigma_max());
  return noise * (whole ? std::sqrt(1.0F + sigma * sigma) : sigma) + latent;
}

/// The latent as the network sees it: an empty one stays empty.
at::Tensor scaled_in(const Model& model, const at::Tensor& latent) {
  return latent.count_nonzero().item<std::int64_t>() > 0 ? latent * model.latent_scale : latent;
}

/// The noise that samplers of that kind put outside of a noise mask: another than the one that the run starts from.
at::Tensor redrawn(const SamplingRequest& request) {
  return make_noise(request.latent.sizes(), request.seed + 1).to(request.model->placement.device);
}

std::vector<float> to_vector(const at::Tensor& sigmas) {
  const at::Tensor values = sigmas.to(at::kCPU, at::kFloat).contiguous();
  const float* first = values.const_data_ptr<float>();
  return {first, first + values.numel()};
}

}  // namespace

SamplingResult sample(const SamplingRequest& request) {
  const at::NoGradGuard no_gradients;
  if (!request.model || !request.model->schedule) throw ModelError("no_model", "there is no model to sample with");
  const Model& model = *request.model;
  check_tensors(request);
  if (!request.sampler.solve) throw Error("no_sampler", "there is no sampler: choose one by its name");
  const std::vector<float> sigmas = to_vector(request.sigmas);
  if (sigmas.empty()) return {request.latent.to(at::kCPU, at::kFloat), {}, {}};

  const auto start = std::chrono::steady_clock::now();
  const at::Device device = model.placement.device;
  const auto percent_to_sigma = [schedule = model.schedule](double percent) {
    return schedule->percent_to_sigma(percent);
  };
  CachedDenoiser network(make_network(model.unet), model.cache_policy, {sigmas.begin(), sigmas.end()},
                         percent_to_sigma);
  const at::Tensor latent = scaled_in(model, request.latent.to(device, at::kFloat));
  const at::Tensor noise = request.noise.to(device, at::kFloat);
  at::Tensor mask;
  if (request.noise_mask.defined()) mask = fitted_noise_mask(request.noise_mask, latent.sizes()).to(device);
  GuidedDenoiser guided(model, prepare_conditions(model, request.positive, request.negative, latent, mask), request.cfg,
                        latent.size(0), network, request.sampler.frequencies);
  Denoiser denoise = std::ref(guided);
  const Denoiser everywhere = denoise;
  if (mask.defined())
    denoise = masked(everywhere, mask, latent, request.sampler.redraws_noise ? redrawn(request) : noise);
  const at::Tensor x = noised(model, latent, noise, sigmas.front());
  at::Tensor denoised;
  const auto on_step = [&](const StepReport& step) {
    denoised = step.denoised;
    if (request.on_step) request.on_step(step);
  };
  const at::Tensor result = request.sampler(denoise, x, sigmas, {request.seed, on_step, noise, latent});

  const auto scaled_out = [&](const at::Tensor& scaled) { return (scaled / model.latent_scale).to(at::kCPU); };
  SamplingResult done{scaled_out(result), denoised.defined() ? scaled_out(denoised) : at::Tensor(), network.report()};
  done.report.milliseconds =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return done;
}

}  // namespace refrain::diffusion
