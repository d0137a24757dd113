#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

namespace {

using namespace refrain;

/// Noise by its seed.
class RandomNoise final : public Node {
 public:
  static constexpr Param<std::uint64_t> noise_seed{"noise_seed", 0, "the same seed gives the same picture"};
  static constexpr Out<diffusion::NoiseChoice> noise{"NOISE"};

  static Schema schema() {
    return {"RandomNoise",
            "sampling/custom_sampling/noise",
            "Chooses the noise that a run starts from.",
            {Input(noise_seed).control_after_generate()},
            {noise}};
  }

  void run(Context& ctx) override { ctx.set(noise, diffusion::NoiseChoice{false, ctx[noise_seed]}); }
};

}  // namespace

REFRAIN_NODE(RandomNoise)
