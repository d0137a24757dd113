#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include "sampling_run.hpp"

namespace {

using namespace refrain;

/// A run whose noise, guidance, sampler and sigmas come from nodes. Follows ComfyUI's node of that name.
class SamplerCustomAdvanced final : public Node {
 public:
  static constexpr In<diffusion::NoiseChoice> noise{"noise", "where to draw the noise from"};
  static constexpr In<diffusion::Guider> guider{"guider", "the network and the prompts that it follows"};
  static constexpr In<diffusion::Sampler> sampler{"sampler", "the solver"};
  static constexpr In<Sigmas> sigmas{"sigmas", "the noise levels to go through"};
  static constexpr In<Latent> latent_image{"latent_image", "where to start"};
  static constexpr Out<Latent> output{"output", "at the last of the sigmas"};
  static constexpr Out<Latent> denoised_output{"denoised_output", "the last step's estimate of the picture"};

  static Schema schema() {
    return {"SamplerCustomAdvanced",
            "sampling/custom_sampling",
            "Denoises a latent; noise, guidance, sampler and noise levels come from nodes.",
            {noise, guider, sampler, sigmas, latent_image},
            {output, denoised_output}};
  }

  void run(Context& ctx) override {
    const diffusion::Guider& guidance = ctx[guider];
    diffusion::SamplingRequest request;
    request.model = guidance.model;
    request.positive = guidance.positive;
    request.negative = guidance.negative;
    request.cfg = guidance.cfg;
    request.sampler = ctx[sampler];
    request.sigmas = ctx[sigmas].values;
    SampledLatents sampled = run_sampling(ctx, std::move(request), ctx[latent_image], ctx[noise]);
    ctx.set(output, std::move(sampled.latent));
    ctx.set(denoised_output, std::move(sampled.denoised));
  }
};

}  // namespace

REFRAIN_NODE(SamplerCustomAdvanced)
