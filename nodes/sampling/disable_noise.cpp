#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

namespace {

using namespace refrain;

/// No noise, for latents that have theirs.
class DisableNoise final : public Node {
 public:
  static constexpr Out<diffusion::NoiseChoice> noise{"NOISE"};

  static Schema schema() {
    return {
        "DisableNoise", "sampling/custom_sampling/noise", "Lets a run start from the latent as it is.", {}, {noise}};
  }

  void run(Context& ctx) override { ctx.set(noise, diffusion::NoiseChoice{true, 0}); }
};

}  // namespace

REFRAIN_NODE(DisableNoise)
