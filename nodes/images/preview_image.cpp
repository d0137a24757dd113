#include <refrain/plugin.hpp>

#include <random>

#include "image_files.hpp"

namespace {

using namespace refrain;

/// Five random letters, so that previews of several runs don't mix.
std::string random_letters() {
  std::random_device random;
  std::uniform_int_distribution<int> letter('a', 'z');
  std::string letters(5, 'a');
  for (char& c : letters) {
    c = static_cast<char>(letter(random));
  }
  return letters;
}

/// Writes pictures to the folder for what may be thrown away.
class PreviewImage final : public Node {
 public:
  static constexpr In<Image> images{"images", "pictures, [N, H, W, C] in [0, 1]"};
  static constexpr Hidden<Prompt> prompt{};
  static constexpr Hidden<ExtraPngInfo> extra_pnginfo{};

  static Schema schema() {
    return Schema{"PreviewImage",
                  "image",
                  "Saves pictures to the temporary folder, to be looked at.",
                  {images, prompt, extra_pnginfo},
                  {},
                  Role::output}
        .titled("Preview Image");
  }

  void run(Context& ctx) override {
    const std::string prefix = "ComfyUI_temp_" + random_letters();
    save_images(ctx, ctx[images], {Folder::temp, prefix, 1}, ctx[prompt], ctx[extra_pnginfo]);
  }
};

}  // namespace

REFRAIN_NODE(PreviewImage)
