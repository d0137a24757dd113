#include <refrain/plugin.hpp>

#include <refrain/diffusion/reference_sampling.hpp>

namespace {

using namespace refrain;

Choices rules(const Host&) { return diffusion::timestep_rules(); }

/// The noise levels of the training steps that an original implementation chooses.
class ReferenceTimesteps final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "whose training steps they are"};
  static constexpr Choice rule{"rule", rules, "which implementation's choice"};
  static constexpr Param<std::int64_t> steps{"steps", 50, {1, 1000}, "uniform rules give more where they don't divide"};
  static constexpr Param<std::int64_t> offset{
      "offset", 0, {0, 999}, "added to each step of \"diffusers leading\" (steps_offset, 1 for Stable Diffusion)"};
  static constexpr Choice final_alpha{
      "final_alpha", {"as usual", "one", "first"}, "where the run ends: without noise, or at the first training step"};
  static constexpr Out<Sigmas> sigmas{"SIGMAS", "of the steps, then of the end"};

  static Schema schema() {
    return Schema{"ReferenceTimesteps",
                  "refrain/reference",
                  "Noise levels of the training steps that CompVis, ermongroup or diffusers go through.",
                  {model, rule, steps, offset, final_alpha},
                  {sigmas}}
        .titled("Reference Timesteps");
  }

  void run(Context& ctx) override {
    const diffusion::Model& trained = ctx[model];
    const std::string chosen = ctx[rule], end = ctx[final_alpha];
    const auto final = end == "as usual" ? diffusion::usual_final_alpha(chosen)
                       : end == "one"    ? diffusion::FinalAlpha::one
                                         : diffusion::FinalAlpha::first;
    const std::vector<int> timesteps = diffusion::reference_timesteps(
        chosen, static_cast<int>(ctx[steps]), trained.schedule->steps(), static_cast<int>(ctx[offset]));
    ctx.set(sigmas, Sigmas{diffusion::reference_sigmas(*trained.schedule, timesteps, final)});
  }
};

}  // namespace

REFRAIN_NODE(ReferenceTimesteps)
