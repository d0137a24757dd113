#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

#include <cmath>

namespace {

using namespace refrain;

/// Latents larger or smaller by a factor.
class LatentUpscaleBy final : public Node {
 public:
  static constexpr In<Latent> samples{"samples"};
  static constexpr Choice upscale_method{"upscale_method", {"nearest-exact", "bilinear", "area", "bicubic", "bislerp"}};
  static constexpr Param<double> scale_by{"scale_by", 1.5, {0.01, 8.0, 0.01}, "of the sides"};
  static constexpr Out<Latent> latent{"LATENT"};

  static Schema schema() {
    return Schema{
        "LatentUpscaleBy", "latent", "Resizes latents by a factor.", {samples, upscale_method, scale_by}, {latent}}
        .titled("Upscale Latent By");
  }

  void run(Context& ctx) override {
    Latent result = ctx[samples];
    const auto scaled = [&](int axis) {
      return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(result.samples.size(axis)) * ctx[scale_by]));
    };
    const auto method = diffusion::find_resampling(ctx[upscale_method]);
    result.samples = diffusion::resized(result.samples, scaled(3), scaled(2), method);
    ctx.set(latent, std::move(result));
  }
};

}  // namespace

REFRAIN_NODE(LatentUpscaleBy)
