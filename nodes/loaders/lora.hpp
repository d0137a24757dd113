#pragma once
#include <refrain/plugin.hpp>

#include <refrain/diffusion/lora.hpp>

#include <filesystem>
#include <memory>

namespace refrain {

/// What the two LoRA loaders share: the layer over `model` and `clip` (which may be null), and a line in the log where
/// a part of the file has no place in them.
diffusion::LoraResult load_lora(Context& ctx, const std::filesystem::path& file,
                                const std::shared_ptr<const diffusion::Model>& model,
                                const std::shared_ptr<const diffusion::Clip>& clip,
                                const diffusion::LoraStrength& strength);

}  // namespace refrain
