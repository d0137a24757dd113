#pragma once
// The small checkpoint with the layout of SD 1.x, as refrain-make-checkpoint writes it.

#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/clip_text.hpp>
#include <refrain/diffusion/unet.hpp>
#include <refrain/diffusion/weights.hpp>

#include <filesystem>
#include <memory>

namespace refrain::diffusion::testing {

/// The file, float16, seed 0; made when the tests are built.
std::filesystem::path small_checkpoint();
std::shared_ptr<const WeightSource> small_source();

std::unique_ptr<const UNet> small_unet(at::ScalarType dtype = at::kFloat);
std::unique_ptr<const ClipTextModel> small_clip();
std::unique_ptr<const AutoencoderKL> small_autoencoder(at::ScalarType dtype = at::kFloat);

}  // namespace refrain::diffusion::testing
