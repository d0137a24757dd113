#pragma once
// Safetensors files as sources of weights.

#include "weights/mapped_file.hpp"

#include <refrain/diffusion/weights.hpp>

#include <memory>

namespace refrain::diffusion {

/// Opens a file that is mapped already. Throws ModelError.
std::shared_ptr<const WeightSource> open_safetensors(std::shared_ptr<const MappedFile> file);

}  // namespace refrain::diffusion
