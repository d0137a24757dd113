#include <refrain/plugin.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include "files/annotated_file.hpp"
#include "loaded_picture.hpp"

namespace {

using namespace refrain;

/// One channel of a picture file as a mask. Follows ComfyUI's node of that name.
class LoadImageMask final : public Node {
 public:
  static constexpr Choice image{"image", picture_files, "a PNG, JPEG or WebP file in the input folder"};
  static constexpr Choice channel{"channel", {"alpha", "red", "green", "blue"}, "which one; of alpha 1 - alpha"};
  static constexpr Out<Mask> mask{"MASK", "[1, H, W]"};

  static Schema schema() {
    return Schema{"LoadImageMask",
                  "mask",
                  "Loads one channel of a picture as a mask.",
                  {Input(image).check_in_node().image_upload(), channel},
                  {mask}}
        .titled("Load Image (as Mask)");
  }

  void validate(Literals& in) const override { check_annotated(in, image); }

  Fingerprint fingerprint(const Literals& in) const override { return mark_of_annotated(in, image); }

  void run(Context& ctx) override {
    const Picture loaded = load_picture(ctx, ctx[image]);
    const std::string& which = ctx[channel];
    const Pixels& pixels = loaded.pixels;
    if (which == "alpha") {
      ctx.set(mask, Mask{loaded.has_alpha ? 1.0 - channel_of(pixels, 3) : at::zeros({1, pixels.height, pixels.width})});
    } else {
      ctx.set(mask, Mask{channel_of(pixels, which == "red" ? 0 : which == "green" ? 1 : 2)});
    }
  }
};

}  // namespace

REFRAIN_NODE(LoadImageMask)
