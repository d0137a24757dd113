#include "apps/cli/png_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <zlib.h>

#include <cstdint>

#include "images/png_writer.hpp"

namespace refrain::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// A chunk as it stands in a file: length, type, data, checksum.
std::string chunk(std::string type_and_data) {
  const auto be = [](std::uint32_t number) {
    return std::string{static_cast<char>(number >> 24U), static_cast<char>(number >> 16U),
                       static_cast<char>(number >> 8U), static_cast<char>(number)};
  };
  const auto sum =
      crc32(0, reinterpret_cast<const Bytef*>(type_and_data.data()), static_cast<uInt>(type_and_data.size()));
  return be(static_cast<std::uint32_t>(type_and_data.size() - 4)) + type_and_data + be(static_cast<std::uint32_t>(sum));
}

std::string picture(std::span<const PngText> texts = {}) {
  return encode_png({40, 40, 3, std::vector<std::uint8_t>(4800, 7)}, texts, 0);
}

/// The picture with a chunk put before the end.
std::string with_chunk_behind_pixels(const std::string& added) {
  std::string bytes = picture();
  return bytes.insert(bytes.size() - 12, chunk(added));
}

TEST(PngText, IsFoundBeforeThePixels) {
  const std::vector<PngText> texts{{"prompt", "{}"}, {"workflow", "[1]"}};
  EXPECT_THAT(read_png_text(picture(texts)), ElementsAre(Pair("prompt", "{}"), Pair("workflow", "[1]")));
}

TEST(PngText, IsFoundBehindThePixels) {
  EXPECT_THAT(read_png_text(with_chunk_behind_pixels(std::string("tEXtprompt\0{}", 13))),
              ElementsAre(Pair("prompt", "{}")));
}

TEST(PngText, IsUtf8WhateverTheChunk) {
  EXPECT_THAT(read_png_text(with_chunk_behind_pixels(std::string("tEXtprompt\0caf\xE9", 15))),
              ElementsAre(Pair("prompt", "caf\xC3\xA9")));
  EXPECT_THAT(read_png_text(with_chunk_behind_pixels(std::string("iTXtprompt\0\0\0\0\0\xE7\x8C\xAB", 18))),
              ElementsAre(Pair("prompt", "\xE7\x8C\xAB")));
}

TEST(PngText, IsEmptyWhereThereIsNone) { EXPECT_TRUE(read_png_text(picture()).empty()); }

TEST(PngText, OfADamagedFileIsAnError) {
  const std::string whole = picture();
  for (const std::size_t size : {std::size_t{8}, std::size_t{20}, std::size_t{60}, whole.size() - 5}) {
    EXPECT_THROW(read_png_text(std::string_view(whole).substr(0, size)), std::runtime_error) << size;
  }
}

TEST(PngText, BeginsWithTheSignature) {
  EXPECT_TRUE(is_png(picture()));
  EXPECT_FALSE(is_png("{\"1\": {}}"));
  EXPECT_FALSE(is_png(""));
}

}  // namespace
}  // namespace refrain::cli
