#include <refrain/plugin.hpp>

#include "gaussian.hpp"

namespace {

using namespace refrain;

/// A picture with more contrast at its edges: itself, less what a Gaussian filter makes of it.
class ImageSharpen final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Param<std::int64_t> sharpen_radius{"sharpen_radius", 1, {1, 31, 1}, "of the filter, in pixels"};
  static constexpr Param<double> sigma{"sigma", 1.0, {0.1, 10.0, 0.01}, "its width, in units of the radius"};
  static constexpr Param<double> alpha{"alpha", 1.0, {0.0, 5.0, 0.01}, "how much"};
  static constexpr Out<Image> sharpened{"IMAGE"};

  static Schema schema() {
    return {"ImageSharpen",
            "image/postprocessing",
            "Sharpens pictures.",
            {image, sharpen_radius, sigma, alpha},
            {sharpened}};
  }

  void run(Context& ctx) override {
    const std::int64_t radius = ctx[sharpen_radius];
    at::Tensor kernel = gaussian_kernel(radius, ctx[sigma]) * -(ctx[alpha] * 10);
    at::Tensor center = kernel[radius][radius];
    center.copy_(center - kernel.sum() + 1.0);  // flat parts stay as they are
    ctx.set(sharpened, Image{filtered(ctx[image].pixels, kernel, radius).clamp(0, 1)});
  }
};

}  // namespace

REFRAIN_NODE(ImageSharpen)
