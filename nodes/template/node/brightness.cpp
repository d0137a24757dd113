#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// Scales pixel values: result = clamp(gain * image, 0, 1).
class Brightness final : public Node {
 public:
  static constexpr In<Image> image{"image", "RGB in [0, 1], [N, H, W, 3]"};
  static constexpr Param<double> gain{"gain", 1.0, {0.0, 10.0, 0.01}, "1 leaves the image as it is"};
  static constexpr Out<Image> result{"IMAGE", "same shape and range as the input"};

  static Schema schema() { return {"Brightness", "image/adjust", "Scales pixel values.", {image, gain}, {result}}; }

  void run(Context& ctx) override { ctx.set(result, Image{(ctx[image].pixels * ctx[gain]).clamp(0.0, 1.0)}); }
};

}  // namespace

REFRAIN_PLUGIN("brightness", "1.0.0", Brightness)
