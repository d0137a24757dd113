#include "picture_reader.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string_view>

#include "picture_formats.hpp"

namespace refrain {
namespace {

bool begins_with(Bytes file, std::string_view magic, std::size_t at = 0) {
  return file.size() >= at + magic.size() &&
         std::equal(magic.begin(), magic.end(), file.begin() + static_cast<std::ptrdiff_t>(at),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

/// Where the pixel at x, y of the picture the right way up lies in the file's.
std::pair<int, int> source_of(int orientation, int x, int y, int width, int height) {
  switch (orientation) {
    case 2: return {width - 1 - x, y};
    case 3: return {width - 1 - x, height - 1 - y};
    case 4: return {x, height - 1 - y};
    case 5: return {y, x};
    case 6: return {y, height - 1 - x};
    case 7: return {width - 1 - y, height - 1 - x};
    case 8: return {width - 1 - y, x};
    default: return {x, y};
  }
}

Pixels turned(const Pixels& from, int orientation) {
  if (orientation < 2 || orientation > 8) return from;
  const bool on_its_side = orientation >= 5;
  Pixels to{on_its_side ? from.height : from.width, on_its_side ? from.width : from.height, from.channels, {}};
  to.bytes.reserve(from.bytes.size());
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) {
      const auto [from_x, from_y] = source_of(orientation, x, y, from.width, from.height);
      const auto at = (static_cast<std::size_t>(from_y) * from.width + from_x) * from.channels;
      to.bytes.insert(to.bytes.end(), from.bytes.begin() + static_cast<std::ptrdiff_t>(at),
                      from.bytes.begin() + static_cast<std::ptrdiff_t>(at + from.channels));
    }
  }
  return to;
}

}  // namespace

void refuse_picture(const char* code, const std::string& name, const std::string& why) {
  throw NodeError(code, fmt::format("\"{}\": {}", name, why));
}

void check_picture_size(std::uint64_t width, std::uint64_t height, std::uint64_t most, const std::string& name) {
  if (width == 0 || height == 0) refuse_picture("picture.damaged", name, "it has no pixels");
  if (width > most / height) {
    refuse_picture("picture.too_large", name,
                   fmt::format("{} x {} pixels are more than there is memory for", width, height));
  }
}

Picture decode_picture(Bytes file, const std::string& name, std::uint64_t most_pixels) {
  Picture picture;
  if (begins_with(file, "\x89PNG\r\n\x1a\n")) {
    picture = decode_png(file, name, most_pixels);
  } else if (begins_with(file, "\xff\xd8\xff")) {
    picture = decode_jpeg(file, name, most_pixels);
  } else if (begins_with(file, "RIFF") && begins_with(file, "WEBP", 8)) {
    picture = decode_webp(file, name, most_pixels);
  } else {
    refuse_picture("picture.unknown", name, "this is no PNG, JPEG or WebP picture; convert it to one of them");
  }
  picture.pixels = turned(picture.pixels, picture.orientation);
  return picture;
}

Picture read_picture(const std::filesystem::path& file, std::uint64_t most_pixels) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
  if (!stream && bytes.empty()) refuse_picture("picture.unreadable", file.string(), "it can't be read");
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes are bytes
  return decode_picture({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, file.string(),
                        most_pixels);
}

}  // namespace refrain
