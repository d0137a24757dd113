#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

namespace {

using namespace refrain;

/// What a model's output means, where its file does not say. Shares the network with the model that goes in.
class ModelSamplingDiscrete final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Choice sampling{
      "sampling", {"eps", "v_prediction", "lcm", "x0", "img_to_img"}, "what the network predicts"};
  static constexpr Param<bool> zsnr{"zsnr", false, "trained with zero terminal signal-to-noise ratio"};
  static constexpr Out<diffusion::Model> patched{"MODEL"};

  static Schema schema() {
    return {"ModelSamplingDiscrete",
            "advanced/model",
            "Says what a model predicts and over which noise levels.",
            {model, sampling, zsnr},
            {patched}};
  }

  void run(Context& ctx) override {
    diffusion::Model changed = ctx[model];
    const std::string& which = ctx[sampling];
    changed.prediction = which == "eps"            ? diffusion::Prediction::noise
                         : which == "v_prediction" ? diffusion::Prediction::velocity
                         : which == "lcm"          ? diffusion::Prediction::consistency
                         : which == "x0"           ? diffusion::Prediction::picture
                                                   : diffusion::Prediction::picture_from_picture;
    diffusion::NoiseSchedule schedule = changed.schedule->as_trained(ctx[zsnr]);
    if (which == "lcm") schedule = schedule.distilled(kDistilledSteps);
    changed.schedule = std::make_shared<diffusion::NoiseSchedule>(std::move(schedule));
    ctx.set(patched, std::move(changed));
  }

 private:
  static constexpr int kDistilledSteps = 50;  // of latent consistency models
};

}  // namespace

REFRAIN_NODE(ModelSamplingDiscrete)
