#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

#include <ATen/ops/where.h>

namespace {

using namespace refrain;

/// A picture mixed with another, in the ways that painting programs have. The formulas are those of the W3C's
/// Compositing and Blending Level 1.
class ImageBlend final : public Node {
 public:
  static constexpr In<Image> image1{"image1"};
  static constexpr In<Image> image2{"image2", "resized to the first where it differs"};
  static constexpr Param<double> blend_factor{"blend_factor", 0.5, {0.0, 1.0, 0.01}, "0 is image1 alone"};
  static constexpr Choice blend_mode{"blend_mode",
                                     {"normal", "multiply", "screen", "overlay", "soft_light", "difference"}};
  static constexpr Out<Image> blended{"IMAGE"};

  static Schema schema() {
    return {"ImageBlend",
            "image/postprocessing",
            "Mixes two pictures.",
            {image1, image2, blend_factor, blend_mode},
            {blended}};
  }

  void run(Context& ctx) override {
    const at::Tensor& first = ctx[image1].pixels;
    at::Tensor second = ctx[image2].pixels;
    if (second.size(3) < first.size(3)) {
      throw NodeError("image.channels", "image1 has alpha and image2 has none; take it off with another node");
    }
    second = second.narrow(3, 0, first.size(3));
    if (first.sizes() != second.sizes()) {
      second = diffusion::resized(second.permute({0, 3, 1, 2}), first.size(2), first.size(1),
                                  diffusion::Resampling::bicubic, true)
                   .permute({0, 2, 3, 1});
    }
    const double factor = ctx[blend_factor];
    const at::Tensor mixed = first * (1 - factor) + combined(ctx[blend_mode], first, second) * factor;
    ctx.set(blended, Image{mixed.clamp(0, 1)});
  }

 private:
  static at::Tensor combined(const std::string& mode, const at::Tensor& a, const at::Tensor& b) {
    if (mode == "multiply") return a * b;
    if (mode == "screen") return 1 - (1 - a) * (1 - b);
    if (mode == "overlay") return at::where(a.le(0.5), 2 * a * b, 1 - 2 * (1 - a) * (1 - b));
    if (mode == "soft_light") {
      const at::Tensor root = at::where(a.le(0.25), ((16 * a - 12) * a + 4) * a, a.sqrt());
      return at::where(b.le(0.5), a - (1 - 2 * b) * a * (1 - a), a + (2 * b - 1) * (root - a));
    }
    if (mode == "difference") return a - b;
    return b;
  }
};

}  // namespace

REFRAIN_NODE(ImageBlend)
