#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

#include <fmt/format.h>

namespace {

using namespace refrain;

/// Latents to pictures.
class VAEDecode final : public Node {
 public:
  static constexpr In<Latent> samples{"samples", "latents, unscaled"};
  static constexpr In<diffusion::Vae> vae{"vae", "the autoencoder that knows these latents"};
  static constexpr Out<Image> image{"IMAGE", "RGB in [0, 1], [N, H, W, 3]"};

  static Schema schema() {
    return Schema{"VAEDecode", "latent", "Decodes latents to pictures.", {samples, vae}, {image}}.titled("VAE Decode");
  }

  void run(Context& ctx) override {
    const diffusion::Autoencoder& autoencoder = *ctx[vae].autoencoder;
    const at::Tensor& latent = ctx[samples].samples;
    require_memory(ctx, autoencoder, latent);
    at::Tensor pixels = autoencoder.decode(latent).to(at::kCPU, at::kFloat);  // [N, 3, H, W] in about -1..1
    ctx.check();
    pixels = pixels.add(1.0).div_(2.0).clamp_(0.0, 1.0);
    ctx.set(image, Image{pixels.permute({0, 2, 3, 1}).contiguous()});
  }

 private:
  /// Refuses what can't fit: the pictures, and what the last level of the decoder holds for one of them.
  static void require_memory(const Context& ctx, const diffusion::Autoencoder& autoencoder, const at::Tensor& latent) {
    if (latent.dim() != 4) {
      return;  // decode() says what is wrong with it
    }
    const auto scale = static_cast<std::uint64_t>(autoencoder.downscale());
    const auto n = static_cast<std::uint64_t>(latent.size(0));
    const auto height = static_cast<std::uint64_t>(latent.size(2)) * scale;
    const auto width = static_cast<std::uint64_t>(latent.size(3)) * scale;
    // At full size the first block turns twice the channels into the channels, and keeps its input for the shortcut.
    const auto floats = static_cast<std::uint64_t>(autoencoder.config().channels) * (2 + 2 + 1);
    const std::uint64_t working = height * width * floats * sizeof(float);
    const std::uint64_t pictures = n * height * width * 3 * sizeof(float);
    ctx.require_memory(working + 2 * pictures, fmt::format("decoding {} pictures of {} x {} pixels", n, width, height));
  }
};

}  // namespace

REFRAIN_NODE(VAEDecode)
