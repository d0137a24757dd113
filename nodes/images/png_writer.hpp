#pragma once
// Pictures as PNG bytes (libpng).

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace refrain {

/// One picture of 8 bits a channel, rows from the top, channels interleaved.
struct Pixels {
  int width = 0;
  int height = 0;
  int channels = 3;  ///< 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA
  std::vector<std::uint8_t> bytes;
};

/// Keyword and text. Text within Latin-1 becomes a tEXt chunk, any other an iTXt chunk in UTF-8.
using PngText = std::pair<std::string, std::string>;

/// trunc(clip(255 x)) of float32 values, ComfyUI's rule; NaN gives 0.
void quantise(std::span<const float> from, std::span<std::uint8_t> to);

/// The file's bytes. `compression` is zlib's level, 0 to 9. Throws NodeError (png.encode) with libpng's words.
std::string encode_png(const Pixels& pixels, std::span<const PngText> texts, int compression);

}  // namespace refrain
