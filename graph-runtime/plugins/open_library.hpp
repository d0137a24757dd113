#pragma once
// Opens a shared library for good. Hides Boost.DLL.

#include <refrain/abi.hpp>

#include <filesystem>

namespace refrain {

/// Opens the library, all symbols resolved now and visible to nobody else, never to be unloaded, and returns its
/// record. Throws PluginError `cannot_load` with the dynamic linker's own words (without the file's name).
const abi::Record& open_library(const std::filesystem::path& file);

}  // namespace refrain
