#pragma once
// Pictures out of PNG, JPEG and WebP files, as Pillow and ComfyUI's LoadImage see them.

#include <filesystem>
#include <span>

#include "png_writer.hpp"

namespace refrain {

/// A picture of 8 bits a channel.
struct Picture {
  Pixels pixels;           ///< 3 channels, or 4 with alpha
  bool has_alpha = false;  ///< of its own or of its palette: it counts as a mask
  int orientation = 1;     ///< as Exif numbers it, 1 to 8; decode_picture() has turned it already
};

/// Decodes by content, whatever the name, and turns the picture the way up that Exif says. 16-bit colours keep their
/// upper 8 bits, of 16-bit grey what is above 255 becomes 255, no gamma is applied, grey becomes RGB. Throws NodeError
/// (picture.*): no picture or a damaged one, an animated one (only a first frame could be given), CMYK, or one larger
/// than `most_pixels`.
Picture decode_picture(std::span<const std::uint8_t> file, const std::string& name, std::uint64_t most_pixels);

/// The file as bytes, decoded. Throws as decode_picture() does.
Picture read_picture(const std::filesystem::path& file, std::uint64_t most_pixels);

}  // namespace refrain
