#pragma once
// Reading a PNG file back, for tests.

#include <png.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <vector>

namespace refrain::testing {

struct PngPicture {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<std::uint8_t> bytes;  ///< rows from the top, channels interleaved
};

inline PngPicture read_png(const std::filesystem::path& file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_file(&image, file.c_str()) == 0) {
    throw std::runtime_error(file.string() + ": " + image.message);
  }
  PngPicture picture;
  picture.width = static_cast<int>(image.width);
  picture.height = static_cast<int>(image.height);
  picture.channels = static_cast<int>(PNG_IMAGE_SAMPLE_CHANNELS(image.format));
  image.format &= PNG_FORMAT_FLAG_ALPHA | PNG_FORMAT_FLAG_COLOR;
  picture.bytes.resize(PNG_IMAGE_SIZE(image));
  if (png_image_finish_read(&image, nullptr, picture.bytes.data(), 0, nullptr) == 0) {
    throw std::runtime_error(file.string() + ": " + image.message);
  }
  return picture;
}

}  // namespace refrain::testing
