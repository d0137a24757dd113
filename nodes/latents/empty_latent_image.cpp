#include <refrain/plugin.hpp>

#include <ATen/ops/zeros.h>

#include <fmt/format.h>

namespace {

using namespace refrain;

/// A latent of zeros, for pictures made from noise alone. An eighth of the picture's sides, as SD's autoencoder has it.
class EmptyLatentImage final : public Node {
 public:
  static constexpr std::int64_t kChannels = 4;
  static constexpr std::int64_t kDownscale = 8;

  static constexpr Param<std::int64_t> width{"width", 512, {16, 16384, 8}, "of the picture, in pixels"};
  static constexpr Param<std::int64_t> height{"height", 512, {16, 16384, 8}, "of the picture, in pixels"};
  static constexpr Param<std::int64_t> batch_size{"batch_size", 1, {1, 4096}, "number of pictures"};
  static constexpr Out<Latent> latent{"LATENT", "zeros [batch_size, 4, height / 8, width / 8]"};

  static Schema schema() {
    return Schema{"EmptyLatentImage",
                  "latent",
                  "Makes empty latents, for the sampler to fill.",
                  {width, height, batch_size},
                  {latent}}
        .titled("Empty Latent Image");
  }

  void run(Context& ctx) override {
    const std::int64_t n = ctx[batch_size], h = ctx[height] / kDownscale, w = ctx[width] / kDownscale;
    ctx.require_memory(static_cast<std::uint64_t>(n * kChannels * h * w) * sizeof(float),
                       fmt::format("{} empty latents for {} x {} pixels", n, ctx[width], ctx[height]));
    ctx.set(latent, Latent{at::zeros({n, kChannels, h, w}), {}, {}});
  }
};

}  // namespace

REFRAIN_NODE(EmptyLatentImage)
