#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <string_view>

#include "picture_formats.hpp"

namespace refrain {
namespace {

/// What libpng's callbacks see.
struct Source {
  Bytes rest;
  std::string problem;
};

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  Source& source = *static_cast<Source*>(png_get_io_ptr(png));
  if (source.rest.size() < count) png_error(png, "the file ends early");
  std::copy_n(source.rest.begin(), count, to);
  source.rest = source.rest.subspan(count);
}

[[noreturn]] void keep_problem(png_structp png, png_const_charp words) {
  static_cast<Source*>(png_get_error_ptr(png))->problem = words;
  png_longjmp(png, 1);
}

void ignore_warning(png_structp /*png*/, png_const_charp /*words*/) {}

struct Reader {
  explicit Reader(Source& source)
      : png(png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, keep_problem, ignore_warning)),
        info(png != nullptr ? png_create_info_struct(png) : nullptr) {}
  ~Reader() { png_destroy_read_struct(&png, &info, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  png_structp png;
  png_infop info;
};

/// Everything that may jump out: no object with a destructor lives here.
bool read_header(Reader& reader, Source& source) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_read_fn(reader.png, &source, read_bytes);
  png_read_info(reader.png, reader.info);
  return true;
}

bool read_rows(Reader& reader, std::uint8_t* to, std::size_t row_bytes, png_uint_32 height, int passes) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  for (int pass = 0; pass < passes; ++pass) {
    for (png_uint_32 y = 0; y < height; ++y) png_read_row(reader.png, to + y * row_bytes, nullptr);
  }
  png_read_end(reader.png, reader.info);
  return true;
}

bool is_wide_grey(const Reader& reader) {
  return png_get_color_type(reader.png, reader.info) == PNG_COLOR_TYPE_GRAY &&
         png_get_bit_depth(reader.png, reader.info) == 16;
}

/// Asks libpng for 8-bit RGB or RGBA, but for wide grey. Returns whether there is an alpha channel that counts: a
/// transparent colour of a picture without a palette does not, for Pillow.
bool set_transformations(const Reader& reader) {
  const png_byte type = png_get_color_type(reader.png, reader.info);
  bool alpha = (type & PNG_COLOR_MASK_ALPHA) != 0;
  if (type == PNG_COLOR_TYPE_PALETTE) {
    png_set_palette_to_rgb(reader.png);
    if (png_get_valid(reader.png, reader.info, PNG_INFO_tRNS) != 0) {
      png_set_tRNS_to_alpha(reader.png);
      alpha = true;
    }
  } else if (type == PNG_COLOR_TYPE_GRAY) {
    png_set_expand_gray_1_2_4_to_8(reader.png);
  }
  if (!is_wide_grey(reader)) {
    png_set_strip_16(reader.png);
    png_set_gray_to_rgb(reader.png);
  }
  return alpha;
}

/// Grey of 16 bits, the higher byte first, as Pillow turns it into RGB: what is above 255 becomes 255.
void narrow_wide_grey(Pixels& pixels) {
  std::vector<std::uint8_t> narrow;
  narrow.reserve(pixels.bytes.size() / 2 * 3);
  for (std::size_t i = 0; i + 1 < pixels.bytes.size(); i += 2) {
    narrow.insert(narrow.end(), 3, pixels.bytes[i] != 0 ? 255 : pixels.bytes[i + 1]);
  }
  pixels.bytes = std::move(narrow);
  pixels.channels = 3;
}

bool is_animated(Bytes file) {
  constexpr std::string_view kChunk = "acTL", kData = "IDAT";
  const auto find = [&](std::string_view name) {
    return std::search(file.begin(), file.end(), name.begin(), name.end());
  };
  return find(kChunk) < find(kData);
}

}  // namespace

Picture decode_png(Bytes file, const std::string& name, std::uint64_t most_pixels) {
  if (is_animated(file)) refuse_picture("picture.animated", name, "animated pictures can't be loaded; save one frame");
  Source source{file, "there is no memory for libpng"};
  Reader reader(source);
  if (reader.info == nullptr || !read_header(reader, source)) refuse_picture("picture.damaged", name, source.problem);
  const png_uint_32 width = png_get_image_width(reader.png, reader.info);
  const png_uint_32 height = png_get_image_height(reader.png, reader.info);
  check_picture_size(width, height, most_pixels, name);

  Picture picture;
  const bool wide_grey = is_wide_grey(reader);
  picture.has_alpha = set_transformations(reader);
  const int passes = png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
  const std::size_t row_bytes = png_get_rowbytes(reader.png, reader.info);
  picture.pixels.width = static_cast<int>(width);
  picture.pixels.height = static_cast<int>(height);
  picture.pixels.channels = png_get_channels(reader.png, reader.info);
  picture.pixels.bytes.resize(row_bytes * height);
  if (!read_rows(reader, picture.pixels.bytes.data(), row_bytes, height, passes)) {
    refuse_picture("picture.damaged", name, source.problem);
  }
  if (wide_grey) narrow_wide_grey(picture.pixels);
  png_bytep exif = nullptr;
  png_uint_32 size = 0;
  if (png_get_eXIf_1(reader.png, reader.info, &size, &exif) != 0) picture.orientation = exif_orientation({exif, size});
  return picture;
}

}  // namespace refrain
