#pragma once
// What SaveImage and PreviewImage have in common.

#include <refrain/context.hpp>
#include <refrain/payloads.hpp>

#include <string_view>

namespace refrain {

/// How to save: where, under which name, and how hard to compress (zlib's level).
struct ImageSaving {
  Folder folder = Folder::output;
  std::string_view prefix;
  int compression = 4;
};

/// Saves a batch as PNG files that carry the workflow, off the critical path, and tells their names.
/// Names are reserved at once. Throws NodeError: image.shape, and what reserve_output_files() throws.
void save_images(Context& ctx, const Image& images, const ImageSaving& saving, const Prompt& prompt,
                 const ExtraPngInfo& extra);

}  // namespace refrain
