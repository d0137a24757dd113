#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

#include <algorithm>

namespace {

using namespace refrain;

/// Latents of another size. Follows ComfyUI's node of that name.
class LatentUpscale final : public Node {
 public:
  static constexpr In<Latent> samples{"samples"};
  static constexpr Choice upscale_method{"upscale_method", {"nearest-exact", "bilinear", "area", "bicubic", "bislerp"}};
  static constexpr Param<std::int64_t> width{"width", 512, {0, 16384, 8}, "in pixels; 0: by the height, in proportion"};
  static constexpr Param<std::int64_t> height{
      "height", 512, {0, 16384, 8}, "in pixels; 0: by the width, in proportion"};
  static constexpr Choice crop{
      "crop", {"disabled", "center"}, "center: cut off what the new proportions leave no room for"};
  static constexpr Out<Latent> latent{"LATENT"};

  static Schema schema() {
    return Schema{
        "LatentUpscale", "latent", "Resizes latents.", {samples, upscale_method, width, height, crop}, {latent}}
        .titled("Upscale Latent");
  }

  void run(Context& ctx) override {
    std::int64_t w = ctx[width], h = ctx[height];
    Latent result = ctx[samples];
    if (w != 0 || h != 0) {
      const at::Tensor& from = result.samples;
      if (w != 0) w = std::max(kLeast, w);
      if (h != 0) h = std::max(kLeast, h);
      if (w == 0) w = std::max(kLeast, diffusion::in_proportion(from.size(3), h, from.size(2)));
      if (h == 0) h = std::max(kLeast, diffusion::in_proportion(from.size(2), w, from.size(3)));
      const auto method = diffusion::find_resampling(ctx[upscale_method]);
      result.samples = diffusion::resized(from, w / kPixels, h / kPixels, method, ctx[crop] == "center");
    }
    ctx.set(latent, std::move(result));
  }

 private:
  static constexpr std::int64_t kLeast = 64;  // pixels
  static constexpr std::int64_t kPixels = 8;  // in a cell
};

}  // namespace

REFRAIN_NODE(LatentUpscale)
