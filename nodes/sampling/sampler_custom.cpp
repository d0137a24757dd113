#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include "conditions.hpp"
#include "sampling_run.hpp"

namespace {

using namespace refrain;

/// A run whose sampler and sigmas come from nodes. Follows ComfyUI's node of that name.
class SamplerCustom final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Param<bool> add_noise{"add_noise", true, "false: the latent has its noise already"};
  static constexpr Param<std::uint64_t> noise_seed{"noise_seed", 0, "of the noise"};
  static constexpr Param<double> cfg{"cfg", 8.0, {0.0, 100.0, 0.1, 0.01}, "guidance: how closely to follow the prompt"};
  static constexpr In<Conditioning> positive{"positive", "what the picture should show"};
  static constexpr In<Conditioning> negative{"negative", "what it should not show"};
  static constexpr In<diffusion::Sampler> sampler{"sampler", "the solver"};
  static constexpr In<Sigmas> sigmas{"sigmas", "the noise levels to go through"};
  static constexpr In<Latent> latent_image{"latent_image", "where to start"};
  static constexpr Out<Latent> output{"output", "at the last of the sigmas"};
  static constexpr Out<Latent> denoised_output{"denoised_output", "the last step's estimate of the picture"};

  static Schema schema() {
    return {"SamplerCustom",
            "sampling/custom_sampling",
            "Denoises a latent with any sampler over any noise levels.",
            {model, add_noise, Input(noise_seed).control_after_generate(), cfg, positive, negative, sampler, sigmas,
             latent_image},
            {output, denoised_output}};
  }

  void run(Context& ctx) override {
    diffusion::SamplingRequest request;
    request.model = ctx.share(model);
    request.positive = conditions(ctx[positive], "SamplerCustom", positive.name);
    request.negative = conditions(ctx[negative], "SamplerCustom", negative.name);
    request.cfg = ctx[cfg];
    request.sampler = ctx[sampler];
    request.sigmas = ctx[sigmas].values;
    SampledLatents sampled =
        run_sampling(ctx, std::move(request), ctx[latent_image], {!ctx[add_noise], ctx[noise_seed]});
    ctx.set(output, std::move(sampled.latent));
    ctx.set(denoised_output, std::move(sampled.denoised));
  }
};

}  // namespace

REFRAIN_NODE(SamplerCustom)
