#pragma once
// Pictures of 8 bits, as they are compared, drawn on and written.

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace refrain::cli {

/// RGB, rows from the top, channels interleaved.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;

  Picture() = default;
  /// All of one grey.
  Picture(int w, int h, std::uint8_t grey);
  /// Copies `other` to (left, top); it must lie inside.
  void paste(const Picture& other, int left, int top);
};

/// Picture n of pixels [N, H, W, C] in 0..1, as SaveImage would write it: trunc(255 x). Alpha is left out.
Picture to_picture(const at::Tensor& pixels, std::int64_t n);

/// The bytes of a PNG file. Throws Error (png_failed) with libpng's words.
std::string png_bytes(const Picture& picture);

/// Base64 (RFC 4648), for data: addresses.
std::string base64(std::string_view bytes);

}  // namespace refrain::cli
