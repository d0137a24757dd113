#pragma once
// The parts of a model from files of their own.

#include <refrain/diffusion/model.hpp>

#include <cstdint>
#include <filesystem>
#include <memory>

namespace refrain::diffusion {

/// How a U-Net's weights are held before they are computed with.
enum class WeightRounding : std::uint8_t { none, float8_e4m3, float8_e5m2 };

/// Loads the U-Net of an SD 1.x model: a file of it alone, in CompVis' or in diffusers' names, or a whole checkpoint.
/// Throws ModelError: unknown_model_family, and what load_checkpoint throws.
std::shared_ptr<const Model> load_unet(const std::filesystem::path& file, const LoadOptions& options,
                                       WeightRounding rounding = WeightRounding::none);

/// Loads CLIP's text encoder as SD 1.x has it: a file of it alone, in the names of transformers, or a whole checkpoint.
/// Throws ModelError as load_unet does.
std::shared_ptr<const Clip> load_text_encoder(const std::filesystem::path& file, const LoadOptions& options);

/// Loads an autoencoder of SD: a file of it alone, in CompVis' or in diffusers' names, or a whole checkpoint.
/// Throws ModelError as load_unet does.
std::shared_ptr<const Vae> load_autoencoder(const std::filesystem::path& file, const LoadOptions& options);

}  // namespace refrain::diffusion
