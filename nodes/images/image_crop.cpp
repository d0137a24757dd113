#include <refrain/plugin.hpp>

#include <algorithm>

namespace {

using namespace refrain;

/// A rectangle of a picture.
class ImageCrop final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Param<std::int64_t> width{"width", 512, {1, 16384, 1}};
  static constexpr Param<std::int64_t> height{"height", 512, {1, 16384, 1}};
  static constexpr Param<std::int64_t> x{"x", 0, {0, 16384, 1}, "of the left side"};
  static constexpr Param<std::int64_t> y{"y", 0, {0, 16384, 1}, "of the upper side"};
  static constexpr Out<Image> cropped{"IMAGE", "smaller where the rectangle reaches out of the picture"};

  static Schema schema() {
    return Schema{
        "ImageCrop", "image/transform", "Cuts a rectangle out of pictures.", {image, width, height, x, y}, {cropped}}
        .titled("Image Crop");
  }

  void run(Context& ctx) override {
    const at::Tensor& from = ctx[image].pixels;
    const std::int64_t left = std::min(ctx[x], from.size(2) - 1), top = std::min(ctx[y], from.size(1) - 1);
    ctx.set(cropped, Image{from.narrow(1, top, std::min(ctx[height], from.size(1) - top))
                               .narrow(2, left, std::min(ctx[width], from.size(2) - left))});
  }
};

}  // namespace

REFRAIN_NODE(ImageCrop)
