#include <refrain/plugin.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "files/annotated_file.hpp"
#include "loaded_picture.hpp"

namespace {

using namespace refrain;

/// A picture file of the input folder. Follows ComfyUI's node of that name.
class LoadImage final : public Node {
 public:
  static constexpr Choice image{"image", picture_files, "a PNG, JPEG or WebP file in the input folder"};
  static constexpr Out<Image> picture{"IMAGE", "RGB in [0, 1], [1, H, W, 3], turned as its Exif data say"};
  static constexpr Out<Mask> mask{"MASK", "1 - alpha; zeros [1, 64, 64] where the picture has no alpha"};

  static Schema schema() {
    return Schema{
        "LoadImage", "image", "Loads a picture.", {Input(image).check_in_node().image_upload()}, {picture, mask}}
        .titled("Load Image");
  }

  void validate(Literals& in) const override { check_annotated(in, image); }

  Fingerprint fingerprint(const Literals& in) const override { return mark_of_annotated(in, image); }

  void run(Context& ctx) override {
    constexpr std::int64_t kSideOfNoMask = 64;
    const Picture loaded = load_picture(ctx, ctx[image]);
    const Pixels& pixels = loaded.pixels;
    ctx.set(picture, Image{at::stack({channel_of(pixels, 0), channel_of(pixels, 1), channel_of(pixels, 2)}, 3)});
    ctx.set(mask, Mask{loaded.has_alpha ? 1.0 - channel_of(pixels, 3) : at::zeros({1, kSideOfNoMask, kSideOfNoMask})});
  }
};

}  // namespace

REFRAIN_NODE(LoadImage)
