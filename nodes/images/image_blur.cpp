#include <refrain/plugin.hpp>

#include "gaussian.hpp"

namespace {

using namespace refrain;

/// A picture out of focus.
class ImageBlur final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Param<std::int64_t> blur_radius{"blur_radius", 1, {1, 31, 1}, "of the filter, in pixels"};
  static constexpr Param<double> sigma{"sigma", 1.0, {0.1, 10.0, 0.1}, "its width, in units of the radius"};
  static constexpr Out<Image> blurred{"IMAGE"};

  static Schema schema() {
    return {"ImageBlur",
            "image/postprocessing",
            "Blurs pictures with a Gaussian filter.",
            {image, blur_radius, sigma},
            {blurred}};
  }

  void run(Context& ctx) override {
    const std::int64_t radius = ctx[blur_radius];
    ctx.set(blurred, Image{filtered(ctx[image].pixels, gaussian_kernel(radius, ctx[sigma]), radius)});
  }
};

}  // namespace

REFRAIN_NODE(ImageBlur)
