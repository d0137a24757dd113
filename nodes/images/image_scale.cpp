#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

#include <algorithm>

namespace {

using namespace refrain;

/// Pictures of another size. Follows ComfyUI's node of that name.
class ImageScale final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Choice upscale_method{"upscale_method", {"nearest-exact", "bilinear", "area", "bicubic", "lanczos"}};
  static constexpr Param<std::int64_t> width{"width", 512, {0, 16384, 1}, "0: by the height, in proportion"};
  static constexpr Param<std::int64_t> height{"height", 512, {0, 16384, 1}, "0: by the width, in proportion"};
  static constexpr Choice crop{
      "crop", {"disabled", "center"}, "center: cut off what the new proportions leave no room for"};
  static constexpr Out<Image> resized{"IMAGE"};

  static Schema schema() {
    return Schema{
        "ImageScale", "image/upscaling", "Resizes pictures.", {image, upscale_method, width, height, crop}, {resized}}
        .titled("Upscale Image");
  }

  void run(Context& ctx) override {
    std::int64_t w = ctx[width], h = ctx[height];
    if (w == 0 && h == 0) {
      ctx.set(resized, ctx.share(image));
      return;
    }
    const at::Tensor from = ctx[image].pixels.movedim(-1, 1);
    if (w == 0) w = std::max<std::int64_t>(1, diffusion::in_proportion(from.size(3), h, from.size(2)));
    if (h == 0) h = std::max<std::int64_t>(1, diffusion::in_proportion(from.size(2), w, from.size(3)));
    const auto method = diffusion::find_resampling(ctx[upscale_method]);
    ctx.set(resized, Image{diffusion::resized(from, w, h, method, ctx[crop] == "center").movedim(1, -1)});
  }
};

}  // namespace

REFRAIN_NODE(ImageScale)
