#include <refrain/plugin.hpp>

#include <refrain/diffusion/tiled.hpp>

#include "pixels.hpp"

namespace {

using namespace refrain;

/// Pictures to latents, tile by tile, for pictures that are too large.
class VAEEncodeTiled final : public Node {
 public:
  static constexpr In<Image> pixels{"pixels", "RGB in [0, 1], [N, H, W, 3]; the sides are cut to multiples of 8"};
  static constexpr In<diffusion::Vae> vae{"vae", "the autoencoder"};
  static constexpr Param<std::int64_t> tile_size{"tile_size", 512, {64, 4096, 64}, "in pixels"};
  static constexpr Param<std::int64_t> overlap{"overlap", 64, {0, 4096, 32}, "in pixels"};
  static constexpr Param<std::int64_t> temporal_size{
      "temporal_size", 64, {8, 4096, 4}, "of video models only: no effect"};
  static constexpr Param<std::int64_t> temporal_overlap{
      "temporal_overlap", 8, {4, 4096, 4}, "of video models only: no effect"};
  static constexpr Out<Latent> latent{"LATENT", "[N, 4, H / 8, W / 8]"};

  static Schema schema() {
    return Schema{"VAEEncodeTiled",
                  "_for_testing",
                  "Encodes pictures to latents tile by tile, to save memory.",
                  {pixels, vae, tile_size, overlap, temporal_size, temporal_overlap},
                  {latent}}
        .titled("VAE Encode (Tiled)");
  }

  void run(Context& ctx) override {
    const auto& autoencoder = *ctx[vae].autoencoder;
    const auto encode = [&](const at::Tensor& part) {
      ctx.check();
      return autoencoder.encode(part).to(at::kCPU, at::kFloat);
    };
    const at::Tensor pictures = encoder_input(ctx[vae], ctx[pixels].pixels);
    ctx.set(latent, Latent{diffusion::mean_over_tilings(pictures, encode, ctx[tile_size], ctx[overlap],
                                                        1.0 / autoencoder.downscale()),
                           {},
                           {}});
  }
};

}  // namespace

REFRAIN_NODE(VAEEncodeTiled)
