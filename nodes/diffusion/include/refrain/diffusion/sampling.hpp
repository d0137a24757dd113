#pragma once
// Samplers, classifier-free guidance and the cached denoiser.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/sampling_report.hpp>
#include <refrain/diffusion/unet.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// Where a run of a sampler stands; the sampler fills it in before every call of the denoiser.
struct Place {
  int step = 0;
  int stage = 0;
  /// Where it is given, what the negative prompt alone gives goes there, too, of the same shape: for CFG++.
  at::Tensor* unconditional = nullptr;
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
  at::Tensor noise{};   ///< what x was made from, unscaled; for samplers that start from it in a way of their own
  at::Tensor latent{};  ///< likewise: zeros for an empty one; scaled as x is
};

/// A way from noise to a picture. Immutable: the value on a SAMPLER edge. Any node library may bring one.
struct Sampler {
  static constexpr const char* kTypeName = "SAMPLER";
  /// x [N, C, h, w] float32 at sigmas[0] -> the latent at sigmas.back(). One method a file, see samplers/.
  using Solve = std::function<at::Tensor(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                                         const SamplerOptions& options)>;
  std::string name;
  Solve solve;
  bool drops_penultimate = false;                   ///< KSampler gives it n + 1 sigmas, less the last but one
  bool redraws_noise = false;                       ///< outside of a noise mask the noise is drawn anew, with seed + 1
  Frequencies frequencies = Frequencies::original;  ///< of the implementation whose numbers it gives

  at::Tensor operator()(const Denoiser& denoise, at::Tensor x, const std::vector<float>& sigmas,
                        const SamplerOptions& options) const {
    return solve(denoise, std::move(x), sigmas, options);
  }
};

/// The sampler called `name`; throws Error listing those that are registered.
Sampler find_sampler(const std::string& name);
/// Names of all samplers, in ComfyUI's order.
const std::vector<std::string>& sampler_names();

/// A part of a latent: in its cells, or as shares of its sides.
struct Area {
  double height = 0, width = 0, y = 0, x = 0;
  bool shares = false;
};

/// One entry of a conditioning list: what is said, how strongly, where and when. Where several overlap, their estimates
/// are averaged by strength.
struct Condition {
  at::Tensor cross_attention;  ///< [1, T, D] float32
  double strength = 1.0;
  std::optional<Area> area{};  ///< undefined: everywhere. Its inner borders fade over 8 cells where there is no mask
  at::Tensor mask{};           ///< [M, H, W] of any size: how strongly at each place; undefined: equally
  double mask_strength = 1.0;
  bool area_from_mask = false;  ///< only the rectangle around the mask's places above 0 is evaluated
  double start_percent = 0.0;   ///< share of the noise schedule from which on it holds
  double end_percent = 1.0;     ///< and up to which
  at::Tensor inpaint_latent{};  ///< [N, C, h, w], unscaled: the picture without its masked part, for inpainting models
  at::Tensor inpaint_mask{};    ///< [N, 1, H, W]: its masked part
};

/// Everything that KSampler needs. Follows comfy/sample.py and comfy/samplers.py.
struct SamplingRequest {
  std::shared_ptr<const Model> model;
  std::vector<Condition> positive;
  std::vector<Condition> negative;
  double cfg = 8.0;
  Sampler sampler;         ///< see find_sampler
  at::Tensor sigmas;       ///< [n + 1] float32
  at::Tensor noise;        ///< [N, C, h, w] float32
  at::Tensor latent;       ///< [N, C, h, w] float32, unscaled
  at::Tensor noise_mask;   ///< [M, 1, H, W] of any size, 1 where the latent may change; undefined: everywhere
  std::uint64_t seed = 0;  ///< of the noise that samplers add
  std::function<void(const StepReport&)> on_step;  ///< throw to stop
};

struct SamplingResult {
  at::Tensor latent;    ///< [N, C, h, w] float32, unscaled, on the CPU
  at::Tensor denoised;  ///< the last step's estimate of the picture, likewise; undefined where there was no step
  SamplingReport report;
};

/// Whose prompts a run follows, and how closely. The value on a GUIDER edge; immutable.
struct Guider {
  static constexpr const char* kTypeName = "GUIDER";
  std::shared_ptr<const Model> model;
  std::vector<Condition> positive;
  std::vector<Condition> negative;
  double cfg = 1.0;
  static void memory(const Guider& guider, MemoryBlocks& blocks) {
    if (guider.model) Model::memory(*guider.model, blocks);
  }
};

/// The noise that a run starts from, not yet drawn. The value on a NOISE edge.
struct NoiseChoice {
  static constexpr const char* kTypeName = "NOISE";
  bool none = false;       ///< zeros: the latent has its noise already
  std::uint64_t seed = 0;  ///< of the noise, and of what a sampler adds
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
