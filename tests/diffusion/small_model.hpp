#pragma once
// The small checkpoints with the families' layouts, as refrain-make-checkpoint writes them.

#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/clip_text.hpp>
#include <refrain/diffusion/unet.hpp>
#include <refrain/diffusion/weights.hpp>

#include <filesystem>
#include <memory>
#include <string>

namespace refrain::diffusion::testing {

/// The file, float16, seed 0; made when the tests are built.
std::filesystem::path small_checkpoint();
std::shared_ptr<const WeightSource> small_source();

/// Those of the other families: "ldm4g", "ddpm", "ddpm-cifar", "sd1-inpainting".
std::filesystem::path small_checkpoint(const std::string& family);
std::unique_ptr<const UNet> small_unet_of(const std::string& family, at::ScalarType dtype = at::kFloat);

std::unique_ptr<const UNet> small_unet(at::ScalarType dtype = at::kFloat);
std::unique_ptr<const ClipTextModel> small_clip();
std::unique_ptr<const AutoencoderVQ> small_vq_autoencoder();
std::unique_ptr<const AutoencoderKL> small_autoencoder(at::ScalarType dtype = at::kFloat);

}  // namespace refrain::diffusion::testing
