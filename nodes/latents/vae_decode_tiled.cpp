#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/tiled.hpp>

namespace {

using namespace refrain;

/// Latents to pictures, tile by tile, for pictures that are too large.
class VAEDecodeTiled final : public Node {
 public:
  static constexpr In<Latent> samples{"samples", "latents, unscaled"};
  static constexpr In<diffusion::Vae> vae{"vae", "the autoencoder that knows these latents"};
  static constexpr Param<std::int64_t> tile_size{"tile_size", 512, {64, 4096, 32}, "in pixels"};
  static constexpr Param<std::int64_t> overlap{"overlap", 64, {0, 4096, 32}, "in pixels, a quarter of a tile at most"};
  static constexpr Param<std::int64_t> temporal_size{
      "temporal_size", 64, {8, 4096, 4}, "of video models only: no effect"};
  static constexpr Param<std::int64_t> temporal_overlap{
      "temporal_overlap", 8, {4, 4096, 4}, "of video models only: no effect"};
  static constexpr Out<Image> image{"IMAGE", "RGB in [0, 1], [N, H, W, 3]"};

  static Schema schema() {
    return Schema{"VAEDecodeTiled",
                  "_for_testing",
                  "Decodes latents to pictures tile by tile, to save memory.",
                  {samples, vae, tile_size, overlap, temporal_size, temporal_overlap},
                  {image}}
        .titled("VAE Decode (Tiled)");
  }

  void run(Context& ctx) override {
    const auto& autoencoder = *ctx[vae].autoencoder;
    const std::int64_t tile = ctx[tile_size], unit = autoencoder.downscale();
    const std::int64_t shared = tile < ctx[overlap] * 4 ? tile / 4 : ctx[overlap];
    const auto decode = [&](const at::Tensor& part) {
      ctx.check();
      return autoencoder.decode(part).to(at::kCPU, at::kFloat);
    };
    at::Tensor pixels = diffusion::mean_over_tilings(ctx[samples].samples, decode, tile / unit, shared / unit,
                                                     static_cast<double>(unit));
    pixels = pixels.add(1.0).div_(2.0).clamp_(0.0, 1.0);
    ctx.set(image, Image{pixels.permute({0, 2, 3, 1}).contiguous()});
  }
};

}  // namespace

REFRAIN_NODE(VAEDecodeTiled)
