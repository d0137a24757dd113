#include "png_writer.hpp"

#include <refrain/errors.hpp>

#include <png.h>

#include <algorithm>
#include <string_view>

namespace refrain {
namespace {

/// What libpng's callbacks see. Only plain calls stand between setjmp and longjmp: no destructor is jumped over.
struct Sink {
  std::string bytes;
  std::string problem;
};

void on_error(png_structp png, png_const_charp message) {
  static_cast<Sink*>(png_get_error_ptr(png))->problem = message;
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_write(png_structp png, png_bytep data, png_size_t size) {
  static_cast<Sink*>(png_get_io_ptr(png))->bytes.append(reinterpret_cast<const char*>(data), size);
}

void on_flush(png_structp) {}

int color_type(int channels) {
  constexpr int kTypes[] = {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                            PNG_COLOR_TYPE_RGB_ALPHA};
  return kTypes[channels - 1];
}

/// UTF-8 as Latin-1, or nothing when a character is beyond it.
bool to_latin1(std::string_view utf8, std::string& latin1) {
  latin1.clear();
  latin1.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto byte = static_cast<unsigned char>(utf8[i]);
    if (byte < 0x80) {
      latin1.push_back(static_cast<char>(byte));
    } else if ((byte == 0xC2 || byte == 0xC3) && i + 1 < utf8.size()) {
      latin1.push_back(static_cast<char>(((byte & 0x03) << 6) | (static_cast<unsigned char>(utf8[++i]) & 0x3F)));
    } else {
      return false;
    }
  }
  return true;
}

/// Chunks as libpng takes them; `keep` owns the converted texts.
std::vector<png_text> text_chunks(std::span<const PngText> texts, std::vector<std::string>& keep) {
  keep.resize(texts.size());
  std::vector<png_text> chunks(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool latin1 = to_latin1(texts[i].second, keep[i]);
    if (!latin1) {
      keep[i] = texts[i].second;
    }
    chunks[i].compression = latin1 ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
    chunks[i].key = const_cast<char*>(texts[i].first.c_str());
    chunks[i].text = keep[i].data();
    chunks[i].text_length = latin1 ? keep[i].size() : 0;
    chunks[i].itxt_length = latin1 ? 0 : keep[i].size();
    chunks[i].lang = nullptr;
    chunks[i].lang_key = nullptr;
  }
  return chunks;
}

/// True when the file was written; else sink.problem says why not.
bool write_all(Sink& sink, const Pixels& pixels, png_bytepp rows, const png_text* texts, int count, int compression) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &sink, on_error, on_warning);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  if (info == nullptr) {
    png_destroy_write_struct(&png, nullptr);
    sink.problem = "out of memory";
    return false;
  }
  if (setjmp(png_jmpbuf(png)) != 0) {
    png_destroy_write_struct(&png, &info);
    return false;
  }
  png_set_write_fn(png, &sink, on_write, on_flush);
  png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);
  png_set_IHDR(png, info, static_cast<png_uint_32>(pixels.width), static_cast<png_uint_32>(pixels.height), 8,
               color_type(pixels.channels), PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_set_compression_level(png, compression);
  if (count > 0) {
    png_set_text(png, info, texts, count);
  }
  png_write_info(png, info);
  png_write_image(png, rows);
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return true;
}

}  // namespace

void quantise(std::span<const float> from, std::span<std::uint8_t> to) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    const float scaled = 255.0F * from[i];
    const float clipped = scaled > 0.0F ? std::min(scaled, 255.0F) : 0.0F;  // NaN fails the comparison
    to[i] = static_cast<std::uint8_t>(clipped);
  }
}

std::string encode_png(const Pixels& pixels, std::span<const PngText> texts, int compression) {
  std::vector<std::string> keep;
  const std::vector<png_text> chunks = text_chunks(texts, keep);
  std::vector<png_bytep> rows(static_cast<std::size_t>(pixels.height));
  const std::size_t stride = static_cast<std::size_t>(pixels.width) * static_cast<std::size_t>(pixels.channels);
  for (std::size_t y = 0; y < rows.size(); ++y) {
    rows[y] = const_cast<png_bytep>(pixels.bytes.data() + y * stride);
  }
  Sink sink;
  if (!write_all(sink, pixels, rows.data(), chunks.data(), static_cast<int>(chunks.size()), compression)) {
    throw NodeError("png.encode", "cannot encode the picture as PNG: " + sink.problem);
  }
  return std::move(sink.bytes);
}

}  // namespace refrain
