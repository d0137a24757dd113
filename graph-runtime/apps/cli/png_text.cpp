#include "png_text.hpp"

#include <png.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace refrain::cli {
namespace {

constexpr std::size_t kLargestText = 64U << 20U;  // a compressed chunk must not fill the memory

struct Source {
  std::string_view rest;
  std::string problem;
};

void on_error(png_structp png, png_const_charp message) {
  static_cast<Source*>(png_get_error_ptr(png))->problem = message;
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep into, png_size_t size) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (size > source->rest.size()) {
    png_error(png, "the file ends too early");
  }
  std::memcpy(into, source->rest.data(), size);
  source->rest.remove_prefix(size);
}

/// Reads up to the pixels, and behind them with `whole`. False: source.problem says why not.
bool read(Source& source, png_structp png, png_infop info, bool whole) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_set_read_fn(png, &source, on_read);
  png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);
  png_set_chunk_malloc_max(png, kLargestText);
  png_read_info(png, info);
  if (whole) {
    png_start_read_image(png);  // so that png_read_end() passes over the pixels
    png_read_end(png, info);
  }
  return true;
}

std::string latin1_to_utf8(std::string_view latin1) {
  std::string utf8;
  utf8.reserve(latin1.size());
  for (const char c : latin1) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      utf8.push_back(c);
    } else {
      utf8.push_back(static_cast<char>(0xC0 | (byte >> 6)));
      utf8.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
    }
  }
  return utf8;
}

std::vector<std::pair<std::string, std::string>> texts_of(png_structp png, png_infop info) {
  png_textp texts = nullptr;
  int count = 0;
  png_get_text(png, info, &texts, &count);
  std::vector<std::pair<std::string, std::string>> found;
  for (int i = 0; i < count; ++i) {
    const bool utf8 = texts[i].compression >= PNG_ITXT_COMPRESSION_NONE;
    const std::string_view text(texts[i].text, utf8 ? texts[i].itxt_length : texts[i].text_length);
    found.emplace_back(texts[i].key, utf8 ? std::string(text) : latin1_to_utf8(text));
  }
  return found;
}

}  // namespace

bool is_png(std::string_view bytes) {
  return bytes.size() >= 8 && png_sig_cmp(reinterpret_cast<png_const_bytep>(bytes.data()), 0, 8) == 0;
}

std::vector<std::pair<std::string, std::string>> read_png_text(std::string_view bytes) {
  // Chunks stand before the pixels nearly always; only when they don't, the file is read to its end.
  for (const bool whole : {false, true}) {
    Source source{bytes, {}};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
    png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
    if (info == nullptr) {
      png_destroy_read_struct(&png, nullptr, nullptr);
      throw std::runtime_error("out of memory");
    }
    const bool good = read(source, png, info, whole);
    auto texts = texts_of(png, info);
    png_destroy_read_struct(&png, &info, nullptr);
    if (!good && texts.empty()) {
      throw std::runtime_error(source.problem);
    }
    if (!texts.empty()) {
      return texts;
    }
  }
  return {};
}

}  // namespace refrain::cli
