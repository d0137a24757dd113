#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// One channel of a picture as a mask.
class ImageToMask final : public Node {
 public:
  static constexpr In<Image> image{"image"};
  static constexpr Choice channel{"channel", {"red", "green", "blue", "alpha"}};
  static constexpr Out<Mask> mask{"MASK", "[N, H, W]"};

  static Schema schema() {
    return Schema{"ImageToMask", "mask", "Takes one channel of pictures as masks.", {image, channel}, {mask}}.titled(
        "Convert Image to Mask");
  }

  void run(Context& ctx) override {
    const std::string& which = ctx[channel];
    const std::int64_t index = which == "red" ? 0 : which == "green" ? 1 : which == "blue" ? 2 : 3;
    const at::Tensor& pixels = ctx[image].pixels;
    if (index >= pixels.size(3)) {
      throw NodeError("image.channels", "the picture has no channel " + which + "; choose another");
    }
    ctx.set(mask, Mask{pixels.select(3, index)});
  }
};

}  // namespace

REFRAIN_NODE(ImageToMask)
