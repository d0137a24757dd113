#pragma once
// Labels on a picture, without a font of the system's: letters of 5 x 9 dots, ASCII.

#include <array>
#include <cstdint>
#include <string_view>

#include "compare/picture.hpp"

namespace refrain::cli {

using Color = std::array<std::uint8_t, 3>;

/// Height of a line and width of a letter at `scale`, the gap to the next one included.
constexpr int line_height(int scale) { return 11 * scale; }
constexpr int letter_width(int scale) { return 6 * scale; }

/// Draws `text` with its upper left corner at (left, top), each dot `scale` pixels wide. What lies outside the picture
/// is left out; a character beyond ASCII becomes '?'.
void draw_text(Picture& picture, std::string_view text, int left, int top, int scale, Color color);

/// `text` cut to `width` pixels, with "..." where something is missing.
std::string fit_text(std::string_view text, int width, int scale);

}  // namespace refrain::cli
