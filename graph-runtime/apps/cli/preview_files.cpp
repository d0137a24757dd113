#include "preview_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "compare/picture.hpp"
#include "console.hpp"
#include "whole_file.hpp"

namespace refrain::cli {
namespace {

constexpr std::chrono::milliseconds kPause{250};
constexpr int kLargestSide = 512;  // ComfyUI's --preview-size

/// Each pixel of a latent stands for eight of the picture: shown as large squares, up to 512 pixels.
Picture enlarged(const Picture& small) {
  const int factor = std::clamp(kLargestSide / std::max({small.width, small.height, 1}), 1, 8);
  Picture large(small.width * factor, small.height * factor, 0);
  std::size_t to = 0;
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x) {
      const std::size_t from = (static_cast<std::size_t>(y / factor) * static_cast<std::size_t>(small.width) +
                                static_cast<std::size_t>(x / factor)) *
                               3;
      for (std::size_t c = 0; c < 3; ++c) large.rgb[to++] = small.rgb[from + c];
    }
  }
  return large;
}

/// A node's id as a file's name: ids may hold anything.
std::string file_name(std::string_view id) {
  std::string name = "preview_";
  for (const char c : id.substr(0, 60)) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
    name += plain ? c : '_';
  }
  return name + ".png";
}

}  // namespace

void PreviewFiles::preview(const NodeRef& node, const at::Tensor& pixels) {
  if (!wants_previews()) return;
  const auto now = std::chrono::steady_clock::now();
  auto& written = written_[std::string(node.id)];
  if (now - written < kPause) return;
  written = now;
  try {
    std::filesystem::create_directories(folder_);
    write_whole_file(folder_ / file_name(node.id), png_bytes(enlarged(to_picture(pixels.unsqueeze(0), 0))));
  } catch (const std::exception& error) {
    failed_ = true;
    print_warning(fmt::format("no more previews: {}", error.what()));
  }
}

}  // namespace refrain::cli
