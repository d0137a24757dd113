#include <csetjmp>
#include <cstdio>

#include <jerror.h>
#include <jpeglib.h>

#include <array>

#include "picture_formats.hpp"

namespace refrain {
namespace {

/// libjpeg's error handler with a place to jump to.
struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf place;
  std::array<char, JMSG_LENGTH_MAX> words;
};

[[noreturn]] void keep_problem(j_common_ptr jpeg) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): the base is the first member, libjpeg's way
  auto* errors = reinterpret_cast<Errors*>(jpeg->err);
  jpeg->err->format_message(jpeg, errors->words.data());
  std::longjmp(errors->place, 1);
}

/// Where data is missing or damaged, grey would stand in for it. Other warnings, of superfluous bytes, say, are
/// harmless.
void refuse_missing_data(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)) keep_problem(jpeg);
}

struct Reader {
  Reader() {
    jpeg.err = jpeg_std_error(&errors.base);
    errors.base.error_exit = keep_problem;
    errors.base.emit_message = refuse_missing_data;
    errors.words[0] = '\0';
  }
  ~Reader() { jpeg_destroy_decompress(&jpeg); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  jpeg_decompress_struct jpeg{};
  Errors errors{};
};

/// Everything that may jump out: no object with a destructor lives here.
bool read_header(Reader& reader, Bytes file) {
  if (setjmp(reader.errors.place) != 0) return false;
  jpeg_create_decompress(&reader.jpeg);
  jpeg_mem_src(&reader.jpeg, file.data(), file.size());
  jpeg_save_markers(&reader.jpeg, JPEG_APP0 + 1, 0xFFFF);
  jpeg_read_header(&reader.jpeg, TRUE);
  return true;
}

bool read_rows(Reader& reader, std::uint8_t* to) {
  if (setjmp(reader.errors.place) != 0) return false;
  reader.jpeg.out_color_space = JCS_RGB;
  jpeg_start_decompress(&reader.jpeg);
  const std::size_t row_bytes = static_cast<std::size_t>(reader.jpeg.output_width) * 3;
  while (reader.jpeg.output_scanline < reader.jpeg.output_height) {
    JSAMPROW row = to + reader.jpeg.output_scanline * row_bytes;
    jpeg_read_scanlines(&reader.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&reader.jpeg);
  return true;
}

}  // namespace

Picture decode_jpeg(Bytes file, const std::string& name, std::uint64_t most_pixels) {
  Reader reader;
  const auto damaged = [&] { refuse_picture("picture.damaged", name, reader.errors.words.data()); };
  if (!read_header(reader, file)) damaged();
  if (reader.jpeg.num_components != 1 && reader.jpeg.num_components != 3) {
    refuse_picture("picture.cmyk", name, "its colours are CMYK; convert it to RGB");
  }
  check_picture_size(reader.jpeg.image_width, reader.jpeg.image_height, most_pixels, name);

  Picture picture;
  picture.pixels = {static_cast<int>(reader.jpeg.image_width), static_cast<int>(reader.jpeg.image_height), 3, {}};
  picture.pixels.bytes.resize(static_cast<std::size_t>(picture.pixels.width) * picture.pixels.height * 3);
  for (const jpeg_marker_struct* marker = reader.jpeg.marker_list; marker != nullptr; marker = marker->next) {
    const Bytes data(marker->data, marker->data_length);
    if (data.size() > 6 && data[0] == 'E' && data[1] == 'x') picture.orientation = exif_orientation(data);
  }
  if (!read_rows(reader, picture.pixels.bytes.data())) damaged();
  return picture;
}

}  // namespace refrain
