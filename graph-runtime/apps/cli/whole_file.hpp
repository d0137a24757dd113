#pragma once

#include <filesystem>
#include <string_view>

namespace refrain::cli {

/// Writes a file that appears whole or not at all. Throws Error (file_unwritable) with the system's words.
void write_whole_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace refrain::cli
