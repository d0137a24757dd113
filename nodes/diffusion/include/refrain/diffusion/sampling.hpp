#pragma once
// Samplers, classifier-free guidance and the cached denoiser.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/model.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace refrain::diffusion {

/// Where a run of a sampler stands; the sampler fills it in before every call of the denoiser.
struct Place {
  int step = 0;
  int stage = 0;
};

/// D(x; sigma): the denoised latent. x [N, C, h, w] float32; sigma > 0.
using Denoiser = std::function<at::Tensor(const at::Tensor& x, float sigma, Place place)>;

/// What a sampler reports after each step; throwing from it stops the run.
struct StepReport {
  int step = 0;
  int steps = 0;
  float sigma = 0;
  at::Tensor x;  ///< before the step
  at::Tensor denoised;
};

struct SamplerOptions {
  std::uint64_t noise_seed = 0;  ///< of the noise that ancestral samplers add
  std::function<void(const StepReport&)> on_step;
};

/// x [N, C, h, w] float32 at sigmas[0] -> the latent at sigmas.back(). One method a file, see samplers/.
using Sampler = at::Tensor (*)(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                               const SamplerOptions& options);

/// The sampler called `name`; throws Error listing those that are registered.
Sampler find_sampler(const std::string& name);
/// Names of all samplers, in ComfyUI's order.
const std::vector<std::string>& sampler_names();

/// One entry of a conditioning list.
struct Condition {
  at::Tensor cross_attention;  ///< [1, T, D] float32
  double strength = 1.0;
};

/// What an evaluation did, for reports.
struct Action {
  int step = 0;
  int stage = 0;
  double sigma = 0;
  Decision decision;
  bool forced = false;
  double milliseconds = 0;
  double macs = 0;  ///< of the whole batch
};

/// What a sampling run did.
struct SamplingReport {
  std::string policy;  ///< describe() of the policy
  std::vector<Action> actions;
  double milliseconds = 0;
  double macs = 0;           ///< executed
  double macs_uncached = 0;  ///< had every evaluation been full
};

/// Everything that KSampler needs. Follows comfy/sample.py and comfy/samplers.py.
struct SamplingRequest {
  std::shared_ptr<const Model> model;
  std::vector<Condition> positive;
  std::vector<Condition> negative;
  double cfg = 8.0;
  std::string sampler = "euler";
  at::Tensor sigmas;  ///< [n + 1] float32
  at::Tensor noise;   ///< [N, C, h, w] float32
  at::Tensor latent;  ///< [N, C, h, w] float32, unscaled
  std::uint64_t seed = 0;
  std::function<void(const StepReport&)> on_step;  ///< throw to stop
};

struct SamplingResult {
  at::Tensor latent;  ///< [N, C, h, w] float32, unscaled, on the CPU
  SamplingReport report;
};

SamplingResult sample(const SamplingRequest& request);

/// Noise as ComfyUI draws it: on the CPU, float32, whole batch from one seed, or picked by batch index.
at::Tensor make_noise(at::IntArrayRef shape, std::uint64_t seed,
                      const std::optional<std::vector<std::int64_t>>& batch_index = {});

/// Sigmas of a KSampler run: penultimate dropped where the sampler wants it, shortened by denoise. Empty: nothing to
/// do.
at::Tensor ksampler_sigmas(const NoiseSchedule& schedule, const std::string& sampler, const std::string& scheduler,
                           int steps, double denoise);

}  // namespace refrain::diffusion
