#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

#include <cmath>

namespace {

using namespace refrain;

/// Pictures larger or smaller by a factor.
class ImageScaleBy final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Choice upscale_method{"upscale_method", {"nearest-exact", "bilinear", "area", "bicubic", "lanczos"}};
  static constexpr Param<double> scale_by{"scale_by", 1.0, {0.01, 8.0, 0.01}, "of the sides"};
  static constexpr Out<Image> resized{"IMAGE"};

  static Schema schema() {
    return Schema{"ImageScaleBy",
                  "image/upscaling",
                  "Resizes pictures by a factor.",
                  {image, upscale_method, scale_by},
                  {resized}}
        .titled("Upscale Image By");
  }

  void run(Context& ctx) override {
    const at::Tensor from = ctx[image].pixels.movedim(-1, 1);
    const auto scaled = [&](int axis) {
      return static_cast<std::int64_t>(std::nearbyint(static_cast<double>(from.size(axis)) * ctx[scale_by]));
    };
    const auto method = diffusion::find_resampling(ctx[upscale_method]);
    ctx.set(resized, Image{diffusion::resized(from, scaled(3), scaled(2), method).movedim(1, -1)});
  }
};

}  // namespace

REFRAIN_NODE(ImageScaleBy)
