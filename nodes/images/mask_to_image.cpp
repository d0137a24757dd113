#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// A mask as a grey picture.
class MaskToImage final : public Node {
 public:
  static constexpr In<Mask> mask{"mask"};
  static constexpr Out<Image> image{"IMAGE", "[N, H, W, 3]"};

  static Schema schema() {
    return Schema{"MaskToImage", "mask", "Turns masks into grey pictures.", {mask}, {image}}.titled(
        "Convert Mask to Image");
  }

  void run(Context& ctx) override {
    const at::Tensor& values = ctx[mask].values;
    const at::Tensor grey = values.reshape({-1, values.size(-2), values.size(-1), 1});
    ctx.set(image, Image{grey.expand({-1, -1, -1, 3})});
  }
};

}  // namespace

REFRAIN_NODE(MaskToImage)
