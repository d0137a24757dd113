#include "image_files.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "files/output_file.hpp"
#include "png_writer.hpp"

namespace refrain {
namespace {

void check_shape(const at::Tensor& pixels) {
  const bool good =
      pixels.dim() == 4 && pixels.size(1) > 0 && pixels.size(2) > 0 && pixels.size(3) >= 1 && pixels.size(3) <= 4;
  if (!good) {
    std::string shape;
    for (const std::int64_t size : pixels.sizes()) {
      shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
    }
    throw NodeError("image.shape",
                    fmt::format("pictures have the shape [N, H, W, C] with 1 to 4 channels, these [{}]", shape));
  }
}

std::vector<PngText> text_chunks(const Prompt& prompt, const ExtraPngInfo& extra) {
  std::vector<PngText> texts{{"prompt", prompt.json}};
  texts.insert(texts.end(), extra.chunks.begin(), extra.chunks.end());
  return texts;
}

/// One picture of a batch on its way to the disk; shared with the work that is done later.
struct Job {
  PendingFile file;
  at::Tensor picture;  ///< float32 [H, W, C], contiguous, on the CPU
  std::shared_ptr<const std::vector<PngText>> texts;
  int compression = 4;

  void save() {
    Pixels pixels;
    pixels.height = static_cast<int>(picture.size(0));
    pixels.width = static_cast<int>(picture.size(1));
    pixels.channels = static_cast<int>(picture.size(2));
    pixels.bytes.resize(static_cast<std::size_t>(picture.numel()));
    quantise({picture.const_data_ptr<float>(), pixels.bytes.size()}, pixels.bytes);
    picture.reset();
    write_part(file, encode_png(pixels, *texts, compression));
    file.commit();
  }
};

}  // namespace

void save_images(Context& ctx, const Image& images, const ImageSaving& saving, const Prompt& prompt,
                 const ExtraPngInfo& extra) {
  check_shape(images.pixels);
  const at::Tensor pixels = images.pixels.to(at::kCPU, at::kFloat).contiguous();
  OutputName name{saving.prefix, ".png"};
  name.width = static_cast<int>(pixels.size(2));
  name.height = static_cast<int>(pixels.size(1));
  name.count = static_cast<int>(pixels.size(0));
  std::vector<PendingFile> files = reserve_output_files(ctx.host().directory(saving.folder), name);
  const auto texts = std::make_shared<const std::vector<PngText>>(text_chunks(prompt, extra));
  for (std::size_t i = 0; i < files.size(); ++i) {
    ctx.show({files[i].name(), files[i].subfolder(), saving.folder});
    auto job = std::make_shared<Job>(
        Job{std::move(files[i]), pixels.select(0, static_cast<std::int64_t>(i)), texts, saving.compression});
    ctx.later([job] { job->save(); });
  }
}

}  // namespace refrain
