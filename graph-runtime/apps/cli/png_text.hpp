#pragma once
// The text that a PNG file carries: ComfyUI keeps the workflow of a picture there.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::cli {

/// Whether the bytes begin as a PNG file does.
bool is_png(std::string_view bytes);

/// Keyword and text of every tEXt, zTXt and iTXt chunk, in UTF-8.
/// Throws std::runtime_error with libpng's words for a file that is damaged.
std::vector<std::pair<std::string, std::string>> read_png_text(std::string_view bytes);

}  // namespace refrain::cli
