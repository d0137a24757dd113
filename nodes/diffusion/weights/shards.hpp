#pragma once
// Weights in several files with an index: how the Hugging Face libraries save large models.

#include <refrain/diffusion/weights.hpp>

#include <filesystem>
#include <memory>

namespace refrain::diffusion {

/// The files that `index` (<name>.safetensors.index.json or <name>.bin.index.json) lists, as one source. They lie in
/// its folder. Throws ModelError: a name that leaves the folder, a file or tensor that is missing.
std::shared_ptr<const WeightSource> open_shards(const std::filesystem::path& index);

}  // namespace refrain::diffusion
