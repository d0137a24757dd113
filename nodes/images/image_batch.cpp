#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

#include <ATen/ops/cat.h>

namespace {

using namespace refrain;

/// Two batches of pictures in one.
class ImageBatch final : public Node {
 public:
  static constexpr In<Image> image1{"image1"};
  static constexpr In<Image> image2{"image2", "resized to the first where it differs"};
  static constexpr Out<Image> batch{"IMAGE"};

  static Schema schema() {
    return Schema{"ImageBatch", "image", "Puts pictures into one batch.", {image1, image2}, {batch}}.titled(
        "Batch Images");
  }

  void run(Context& ctx) override {
    const at::Tensor& first = ctx[image1].pixels;
    at::Tensor second = ctx[image2].pixels;
    if (first.sizes().slice(1) != second.sizes().slice(1)) {
      second =
          diffusion::resized(second.movedim(-1, 1), first.size(2), first.size(1), diffusion::Resampling::bilinear, true)
              .movedim(1, -1);
    }
    if (first.size(3) != second.size(3)) {
      throw NodeError("image.channels", "pictures with and without alpha can't be in one batch");
    }
    ctx.set(batch, Image{at::cat({first, second})});
  }
};

}  // namespace

REFRAIN_NODE(ImageBatch)
