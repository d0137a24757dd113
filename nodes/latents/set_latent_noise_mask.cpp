#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// A latent of which only a part may change.
class SetLatentNoiseMask final : public Node {
 public:
  static constexpr In<Latent> samples{"samples"};
  static constexpr In<Mask> mask{"mask", "1 where the sampler may change the latent"};
  static constexpr Out<Latent> latent{"LATENT"};

  static Schema schema() {
    return Schema{"SetLatentNoiseMask",
                  "latent/inpaint",
                  "Lets a sampler change only the masked part of a latent.",
                  {samples, mask},
                  {latent}}
        .titled("Set Latent Noise Mask");
  }

  void run(Context& ctx) override {
    const at::Tensor& values = ctx[mask].values;
    Latent masked = ctx[samples];
    masked.noise_mask = values.reshape({-1, 1, values.size(-2), values.size(-1)});
    ctx.set(latent, std::move(masked));
  }
};

}  // namespace

REFRAIN_NODE(SetLatentNoiseMask)
