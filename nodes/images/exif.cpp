#include "picture_formats.hpp"

namespace refrain {
namespace {

constexpr std::uint16_t kOrientationTag = 0x0112;
constexpr std::size_t kEntry = 12;  // bytes of a directory's entry

/// Numbers of a TIFF file in its byte order; out of its end they are 0.
class TiffReader {
 public:
  TiffReader(Bytes bytes, bool big) : bytes_(bytes), big_(big) {}

  std::uint32_t number(std::size_t at, std::size_t size) const {
    std::uint32_t value = 0;
    if (at > bytes_.size() || bytes_.size() - at < size) return 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8U | bytes_[at + (big_ ? i : size - 1 - i)];
    return value;
  }

 private:
  Bytes bytes_;
  bool big_;
};

}  // namespace

int exif_orientation(Bytes exif) {
  if (exif.size() > 6 && exif[0] == 'E' && exif[1] == 'x' && exif[2] == 'i' && exif[3] == 'f') exif = exif.subspan(6);
  if (exif.size() < 8 || exif[0] != exif[1] || (exif[0] != 'I' && exif[0] != 'M')) return 1;
  const TiffReader tiff(exif, exif[0] == 'M');
  const std::size_t directory = tiff.number(4, 4);
  const std::uint32_t entries = tiff.number(directory, 2);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntry;
    if (tiff.number(entry, 2) != kOrientationTag) continue;
    const std::uint32_t orientation = tiff.number(entry + 8, 2);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

}  // namespace refrain
