#pragma once
// What a model file is, as far as its header tells.

#include <cstdint>
#include <filesystem>
#include <string>

namespace refrain::cli {

struct ModelFile {
  std::string
      family;         ///< "SD 1.x", "LoRA for SD 1.x", "VAE", ...; "unknown"; "pickle" for files that are not read here
  std::string dtype;  ///< of most bytes: "fp16", "bf16", "fp32", ...; empty when it is not known
  std::uint64_t bytes = 0;
  std::string problem;  ///< why the header can't be read; empty when it can
};

/// Reads the header of a safetensors file, which names every tensor with its type and shape; weights are not touched.
/// A file of another kind gets its size alone. Never throws for a damaged file.
ModelFile describe_model_file(const std::filesystem::path& file);

}  // namespace refrain::cli
