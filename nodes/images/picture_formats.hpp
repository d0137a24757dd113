#pragma once
// One function a file format; picture_reader.cpp chooses.

#include <cstdint>
#include <span>
#include <string>

#include "picture_reader.hpp"

namespace refrain {

using Bytes = std::span<const std::uint8_t>;

[[noreturn]] void refuse_picture(const char* code, const std::string& name, const std::string& why);
/// Throws when width x height is no size or more than `most`.
void check_picture_size(std::uint64_t width, std::uint64_t height, std::uint64_t most, const std::string& name);

Picture decode_png(Bytes file, const std::string& name, std::uint64_t most_pixels);
Picture decode_jpeg(Bytes file, const std::string& name, std::uint64_t most_pixels);
Picture decode_webp(Bytes file, const std::string& name, std::uint64_t most_pixels);

/// The orientation in an Exif block (a TIFF header, perhaps behind "Exif\0\0"), 1 where there is none or it makes no
/// sense. Exif 2.3, section 4.6.
int exif_orientation(Bytes exif);

}  // namespace refrain
