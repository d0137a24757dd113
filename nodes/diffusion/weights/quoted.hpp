#pragma once
// Texts out of files in messages.

#include <string>
#include <string_view>

namespace refrain::diffusion {

/// `text` in quotes for a message: cut where it is long, its control characters replaced, so that a hostile file can
/// neither hide the rest of the message nor command a terminal.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 120;
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto code = static_cast<unsigned char>(c);
    result += code < 0x20 || code == 0x7F ? '?' : c;
  }
  return result + (text.size() > kLongest ? "...'" : "'");
}

}  // namespace refrain::diffusion
