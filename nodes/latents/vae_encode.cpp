#include <refrain/plugin.hpp>

#include "pixels.hpp"

namespace {

using namespace refrain;

/// Pictures to latents.
class VAEEncode final : public Node {
 public:
  static constexpr In<Image> pixels{"pixels", "RGB in [0, 1], [N, H, W, 3]; the sides are cut to multiples of 8"};
  static constexpr In<diffusion::Vae> vae{"vae", "the autoencoder"};
  static constexpr Out<Latent> latent{"LATENT", "the means of the posteriors, [N, 4, H / 8, W / 8]"};

  static Schema schema() {
    return Schema{"VAEEncode", "latent", "Encodes pictures to latents.", {pixels, vae}, {latent}}.titled("VAE Encode");
  }

  void run(Context& ctx) override { ctx.set(latent, encoded(ctx[vae], ctx[pixels].pixels)); }
};

}  // namespace

REFRAIN_NODE(VAEEncode)
