#pragma once
// The header of a safetensors file. Format and checks: safetensors/src/tensor.rs of the reference implementation.

#include <refrain/diffusion/weights.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>

namespace refrain::diffusion {

/// One tensor's entry: what it is, and where its bytes are in the file.
struct SafetensorsEntry {
  TensorInfo info;
  std::size_t offset = 0;  ///< from the start of the file
  std::size_t bytes = 0;
};

/// A checked header: the tensors fill the file behind it without a gap and without overlap.
struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// Reads and checks the header of `file`, the bytes of a whole file called `name` in messages.
/// Throws ModelError ("model_file_damaged" or "model_file_unsupported"); its memory stays below the file's own size.
SafetensorsHeader read_safetensors_header(std::span<const std::byte> file, const std::string& name);

}  // namespace refrain::diffusion
