#pragma once
// A node library as a file: what it was built for, read without opening it, so before any code of it can run.

#include <refrain/abi.hpp>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace refrain {

/// What a library's file says of it.
struct LibraryFacts {
  abi::Stamp stamp;                 ///< its texts end with a zero, whatever the file holds
  std::vector<std::string> needed;  ///< names of the libraries it was linked against, as in "libc10.so"
};

/// Reads the facts from the bytes of an ELF shared library. Bytes may be anything. Throws PluginError, whose text does
/// not name the file: `not_a_library`, `other_machine`, `damaged`, `no_record`, `other_abi`, `bad_record`.
LibraryFacts read_library_facts(std::span<const std::byte> bytes);

/// The same from a file, which is mapped. Throws `unreadable` too.
LibraryFacts read_library_facts(const std::filesystem::path& file);

}  // namespace refrain
