#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// The negative of a picture.
class ImageInvert final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Out<Image> inverted{"IMAGE", "1 - image"};

  static Schema schema() {
    return Schema{"ImageInvert", "image", "Turns pictures into their negatives.", {image}, {inverted}}.titled(
        "Invert Image");
  }

  void run(Context& ctx) override { ctx.set(inverted, Image{1.0 - ctx[image].pixels}); }
};

}  // namespace

REFRAIN_NODE(ImageInvert)
