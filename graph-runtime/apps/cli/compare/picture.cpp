#include "compare/picture.hpp"

#include <refrain/errors.hpp>

#include <png.h>

#include <algorithm>

namespace refrain::cli {

Picture::Picture(int w, int h, std::uint8_t grey)
    : width(w), height(h), rgb(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * 3, grey) {}

void Picture::paste(const Picture& other, int left, int top) {
  const std::size_t row = static_cast<std::size_t>(other.width) * 3;
  for (int y = 0; y < other.height; ++y) {
    const auto from = other.rgb.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * row);
    const std::size_t to =
        (static_cast<std::size_t>(top + y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(left)) * 3;
    std::copy(from, from + static_cast<std::ptrdiff_t>(row), rgb.begin() + static_cast<std::ptrdiff_t>(to));
  }
}

Picture to_picture(const at::Tensor& pixels, std::int64_t n) {
  const at::Tensor one = pixels.select(0, n).narrow(2, 0, 3).to(at::kCPU, at::kFloat).contiguous();
  Picture picture;
  picture.height = static_cast<int>(one.size(0));
  picture.width = static_cast<int>(one.size(1));
  picture.rgb.resize(static_cast<std::size_t>(one.numel()));
  const float* from = one.const_data_ptr<float>();
  std::transform(from, from + one.numel(), picture.rgb.begin(), [](float value) {
    const float scaled = 255.0F * value;
    return static_cast<std::uint8_t>(scaled > 0.0F ? std::min(scaled, 255.0F) : 0.0F);  // NaN gives 0
  });
  return picture;
}

std::string png_bytes(const Picture& picture) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(picture.width);
  image.height = static_cast<png_uint_32>(picture.height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, picture.rgb.data(), 0, nullptr) == 0) {
    throw Error("png_failed", std::string("cannot encode the picture as PNG: ") + image.message);
  }
  bytes.resize(size);
  return bytes;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto at = [&](std::size_t k) {
      return i + k < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + k])) : 0U;
    };
    const std::uint32_t group = at(0) << 16U | at(1) << 8U | at(2);
    text += kLetters[group >> 18U];
    text += kLetters[group >> 12U & 63U];
    text += i + 1 < bytes.size() ? kLetters[group >> 6U & 63U] : '=';
    text += i + 2 < bytes.size() ? kLetters[group & 63U] : '=';
  }
  return text;
}

}  // namespace refrain::cli
