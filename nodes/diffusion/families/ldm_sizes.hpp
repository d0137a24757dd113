#pragma once
// Sizes of the parts that CompVis' single files share, whatever the family.

#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/unet.hpp>
#include <refrain/diffusion/weights.hpp>

namespace refrain::diffusion {

inline constexpr const char* kUNetPrefix = "model.diffusion_model";
inline constexpr const char* kAutoencoderPrefix = "first_stage_model";

/// Sizes of the U-Net below kUNetPrefix from its shapes; heads from the metadata (refrain.unet.heads,
/// refrain.unet.head_channels), else `heads` at every level. Throws ModelError naming the tensor that is missing or has
/// an impossible shape.
UNetConfig read_ldm_unet(const WeightSource& source, int heads);

/// Sizes of the autoencoder below kAutoencoderPrefix.
AutoencoderConfig read_ldm_autoencoder(const WeightSource& source);

}  // namespace refrain::diffusion
