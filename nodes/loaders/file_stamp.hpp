#pragma once
#include <filesystem>
#include <string>

namespace refrain {

/// Size and time of a file as text: for the fingerprints of nodes whose choices are no plain files.
std::string stamp_text(const std::filesystem::path& file);

}  // namespace refrain
