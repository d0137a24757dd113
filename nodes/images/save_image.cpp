#include <refrain/plugin.hpp>

#include "image_files.hpp"

namespace {

using namespace refrain;

/// Writes pictures to the output folder.
class SaveImage final : public Node {
 public:
  static constexpr In<Image> images{"images", "pictures, [N, H, W, C] in [0, 1]"};
  static constexpr Param<std::string> filename_prefix{
      "filename_prefix", "ComfyUI",
      "start of the name, folders allowed; %year% %month% %day% %hour% %minute% %second% %width% %height% %batch_num%"};
  static constexpr Hidden<Prompt> prompt{};
  static constexpr Hidden<ExtraPngInfo> extra_pnginfo{};

  static Schema schema() {
    return Schema{"SaveImage",
                  "image",
                  "Saves pictures as PNG files that carry the workflow.",
                  {images, filename_prefix, prompt, extra_pnginfo},
                  {},
                  Role::output}
        .titled("Save Image");
  }

  void run(Context& ctx) override {
    save_images(ctx, ctx[images], {Folder::output, ctx[filename_prefix], 4}, ctx[prompt], ctx[extra_pnginfo]);
  }
};

}  // namespace

REFRAIN_NODE(SaveImage)
