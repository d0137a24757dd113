#pragma once
// Recognising files of weights by their first bytes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace refrain::diffusion {

enum class FileFormat : std::uint8_t { safetensors, torch_zip, torch_legacy };

/// What a file is. Throws ModelError "model_file_unsupported" that says what it is where people take it for a model by
/// mistake (web pages, git-lfs pointers) or its format isn't read (GGUF, pickles of other programs, old tar files).
FileFormat recognise_format(std::span<const std::byte> file, const std::string& name);

}  // namespace refrain::diffusion
