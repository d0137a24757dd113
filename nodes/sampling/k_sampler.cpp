#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include <fmt/format.h>

#include "sampling_report.hpp"
#include "tell_step.hpp"

namespace {

using namespace refrain;

Choices samplers(const Host&) { return diffusion::sampler_names(); }
Choices schedulers(const Host&) { return diffusion::scheduler_names(); }

/// Only strength can be honoured: anything else would give another picture than the workflow asks for.
std::vector<diffusion::Condition> conditions(const Conditioning& conditioning, std::string_view input) {
  std::vector<diffusion::Condition> all;
  for (const ConditioningItem& item : conditioning.items) {
    diffusion::Condition condition{item.tokens, 1.0};
    for (const auto& [key, value] : item.options) {
      const double* strength = std::get_if<double>(&value);
      if (key != "strength" || strength == nullptr) {
        throw NodeError("conditioning.option",
                        fmt::format("input {}: KSampler can't honour the conditioning option \"{}\" yet; "
                                    "take the node out that sets it",
                                    input, key));
      }
      condition.strength = *strength;
    }
    all.push_back(std::move(condition));
  }
  return all;
}

/// Denoises a latent with classifier-free guidance. Follows ComfyUI's node of that name.
class KSampler final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Param<std::uint64_t> seed{"seed", 0, "of the noise: the same seed gives the same picture"};
  static constexpr Param<std::int64_t> steps{"steps", 20, {1, 10000}, "of the sampler"};
  static constexpr Param<double> cfg{"cfg", 8.0, {0.0, 100.0, 0.1, 0.01}, "guidance: how closely to follow the prompt"};
  static constexpr Choice sampler_name{"sampler_name", samplers, "the solver"};
  static constexpr Choice scheduler{"scheduler", schedulers, "how noise levels are spread over the steps"};
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
    const Latent& start = ctx[latent_image];
    if (start.noise_mask.defined()) {
      throw NodeError("latent.noise_mask",
                      "input latent_image: KSampler can't honour a noise mask yet; "
                      "take the node out that sets it");
    }
    diffusion::SamplingRequest request;
    request.model = ctx.share(model);
    request.sigmas = diffusion::ksampler_sigmas(*request.model->schedule, ctx[sampler_name], ctx[scheduler],
                                                static_cast<int>(ctx[steps]), ctx[denoise]);
    if (request.sigmas.numel() == 0) {
      ctx.set(latent, ctx.share(latent_image));
      return;
    }
    request.positive = conditions(ctx[positive], positive.name);
    request.negative = conditions(ctx[negative], negative.name);
    request.cfg = ctx[cfg];
    request.sampler = ctx[sampler_name];
    request.seed = ctx[seed];
    request.latent = start.samples;
    request.noise = noise_for(start, request.seed);
    request.on_step = [&ctx](const diffusion::StepReport& done) { tell_step(ctx, done); };

    ctx.check();
    diffusion::SamplingResult sampled = diffusion::sample(request);
    ctx.report("sampling", sampling_report_json(sampled.report));
    ctx.set(latent, Latent{std::move(sampled.latent), {}, start.batch_index});
  }

 private:
  static at::Tensor noise_for(const Latent& start, std::uint64_t seed) {
    if (start.batch_index.empty()) {
      return diffusion::make_noise(start.samples.sizes(), seed);
    }
    return diffusion::make_noise(start.samples.sizes(), seed, start.batch_index);
  }
};

}  // namespace

REFRAIN_PLUGIN("sampling", "1.0.0", KSampler)
