#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include "conditions.hpp"
#include "sampling_run.hpp"

namespace {

using namespace refrain;

/// Denoises a latent with classifier-free guidance. Follows ComfyUI's node of that name.
class KSampler final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Param<std::uint64_t> seed{"seed", 0, "of the noise: the same seed gives the same picture"};
  static constexpr Param<std::int64_t> steps{"steps", 20, {1, 10000}, "of the sampler"};
  static constexpr Param<double> cfg{"cfg", 8.0, {0.0, 100.0, 0.1, 0.01}, "guidance: how closely to follow the prompt"};
  static constexpr Choice sampler_name{"sampler_name", sampler_choices, "the solver"};
  static constexpr Choice scheduler{"scheduler", scheduler_choices, "how noise levels are spread over the steps"};
  static constexpr In<Conditioning> positive{"positive", "what the picture should show"};
  static constexpr In<Conditioning> negative{"negative", "what it should not show"};
  static constexpr In<Latent> latent_image{"latent_image", "where to start"};
  static constexpr Param<double> denoise{
      "denoise", 1.0, {0.0, 1.0, 0.01}, "share of the noise levels to go through; below 1 keeps some of latent_image"};
  static constexpr Out<Latent> latent{"LATENT", "denoised, same shape as latent_image"};

  static Schema schema() {
    return Schema{"KSampler",
                  "sampling",
                  "Denoises a latent, guided by two prompts.",
                  {model, Input(seed).control_after_generate(), steps, cfg, sampler_name, scheduler, positive, negative,
                   latent_image, denoise},
                  {latent}}
        .titled("KSampler");
  }

  void run(Context& ctx) override {
    diffusion::SamplingRequest request;
    request.model = ctx.share(model);
    request.sigmas = diffusion::ksampler_sigmas(*request.model->schedule, ctx[sampler_name], ctx[scheduler],
                                                static_cast<int>(ctx[steps]), ctx[denoise]);
    if (request.sigmas.numel() == 0) {
      ctx.set(latent, ctx.share(latent_image));
      return;
    }
    request.positive = conditions(ctx[positive], "KSampler", positive.name);
    request.negative = conditions(ctx[negative], "KSampler", negative.name);
    request.cfg = ctx[cfg];
    request.sampler = diffusion::find_sampler(ctx[sampler_name]);
    ctx.set(latent, run_sampling(ctx, std::move(request), ctx[latent_image], {false, ctx[seed]}).latent);
  }
};

}  // namespace

REFRAIN_NODE(KSampler)
