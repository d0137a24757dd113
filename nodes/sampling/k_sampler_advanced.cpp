#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include <algorithm>

#include "conditions.hpp"
#include "sampling_run.hpp"

namespace {

using namespace refrain;

/// A part of a KSampler run: some steps, with or without noise at its start and at its end. Follows ComfyUI's node of
/// that name.
class KSamplerAdvanced final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Choice add_noise{"add_noise", {"enable", "disable"}, "disable: the latent has its noise already"};
  static constexpr Param<std::uint64_t> noise_seed{"noise_seed", 0, "of the noise"};
  static constexpr Param<std::int64_t> steps{"steps", 20, {1, 10000}, "of the whole run, of which this may be a part"};
  static constexpr Param<double> cfg{"cfg", 8.0, {0.0, 100.0, 0.1, 0.01}, "guidance: how closely to follow the prompt"};
  static constexpr Choice sampler_name{"sampler_name", sampler_choices, "the solver"};
  static constexpr Choice scheduler{"scheduler", scheduler_choices, "how noise levels are spread over the steps"};
  static constexpr In<Conditioning> positive{"positive", "what the picture should show"};
  static constexpr In<Conditioning> negative{"negative", "what it should not show"};
  static constexpr In<Latent> latent_image{"latent_image", "where to start"};
  static constexpr Param<std::int64_t> start_at_step{"start_at_step", 0, {0, 10000}, "the first step that is done"};
  static constexpr Param<std::int64_t> end_at_step{
      "end_at_step", 10000, {0, 10000}, "the first step that is not done any more"};
  static constexpr Choice return_with_leftover_noise{
      "return_with_leftover_noise", {"disable", "enable"}, "disable: the last step removes all noise that is left"};
  static constexpr Out<Latent> latent{"LATENT", "same shape as latent_image"};

  static Schema schema() {
    return Schema{"KSamplerAdvanced",
                  "sampling",
                  "Denoises a latent over a part of the steps; two of them after another share a run.",
                  {model, add_noise, Input(noise_seed).control_after_generate(), steps, cfg, sampler_name, scheduler,
                   positive, negative, latent_image, start_at_step, end_at_step, return_with_leftover_noise},
                  {latent}}
        .titled("KSampler (Advanced)");
  }

  void run(Context& ctx) override {
    diffusion::SamplingRequest request;
    request.model = ctx.share(model);
    request.sigmas = part(diffusion::ksampler_sigmas(*request.model->schedule, ctx[sampler_name], ctx[scheduler],
                                                     static_cast<int>(ctx[steps]), 1.0),
                          ctx[start_at_step], ctx[end_at_step], ctx[return_with_leftover_noise] == "enable");
    if (request.sigmas.numel() == 0) {
      ctx.set(latent, ctx.share(latent_image));
      return;
    }
    request.positive = conditions(ctx[positive], "KSamplerAdvanced", positive.name);
    request.negative = conditions(ctx[negative], "KSamplerAdvanced", negative.name);
    request.cfg = ctx[cfg];
    request.sampler = diffusion::find_sampler(ctx[sampler_name]);
    const diffusion::NoiseChoice noise{ctx[add_noise] == "disable", ctx[noise_seed]};
    ctx.set(latent, run_sampling(ctx, std::move(request), ctx[latent_image], noise).latent);
  }

 private:
  /// Of sigmas [n + 1] those of the steps from `start` up to `end`; none when there is no step.
  static at::Tensor part(const at::Tensor& sigmas, std::int64_t start, std::int64_t end, bool keep_noise) {
    std::int64_t count = sigmas.size(0);
    at::Tensor left = sigmas;
    if (end < count - 1) {
      count = end + 1;
      left = sigmas.narrow(0, 0, count).clone();
      if (!keep_noise) left.select(0, -1).zero_();
    }
    return start < count - 1 ? left.narrow(0, start, count - start) : left.narrow(0, 0, 0);
  }
};

}  // namespace

REFRAIN_NODE(KSamplerAdvanced)
