#pragma once
// What the fuzz targets share.

#include <refrain/diffusion/error.hpp>

#include <cstddef>
#include <cstdint>
#include <span>

namespace refrain::fuzz {

inline std::span<const std::byte> bytes_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

/// Runs a reader. A ModelError is an answer; any other exception ends the process.
template <class Read>
int answered(const Read& read) {
  try {
    read();
  } catch (const diffusion::ModelError&) {
    return 0;
  }
  return 0;
}

}  // namespace refrain::fuzz
