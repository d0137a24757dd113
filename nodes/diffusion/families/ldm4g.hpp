#pragma once
// LDM-4-G: the class-conditional latent diffusion model on ImageNet 256 of Rombach et al. CVPR 2022, arXiv:2112.10752,
// section 4.3.2; CompVis latent-diffusion, configs/latent-diffusion/cin256-v2.yaml. A U-Net with one head at every
// level, a VQ-f4 autoencoder and a table of classes whose last row stands for "no class".
//
// Sizes come from the tensors' shapes. The metadata of a model of reduced size may give what shapes can't tell:
//   refrain.unet.heads, refrain.unet.head_channels   as for SD 1.x (sd1.hpp); without them one head
//   refrain.unet.sample_size                         sides of the latents that it was trained on; without it 64

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/weights.hpp>

#include <memory>

namespace refrain::diffusion::ldm4g {

inline constexpr const char* kFamily = "ldm4g";
inline constexpr NoiseLaw kNoiseLaw{NoiseLaw::Spacing::scaled_linear, 0.0015, 0.0195, 1000};
inline constexpr double kLatentScale = 1;

/// What a file of this family holds.
struct Sizes {
  UNetConfig unet;
  AutoencoderConfig autoencoder;
  int classes = 0;  ///< rows of the class table, "no class" included
  int sample_size = 64;
};

bool recognise(const WeightSource& source);
/// Sizes from the shapes. Throws ModelError naming the tensor that is missing or has an impossible shape.
Sizes read_sizes(const WeightSource& source);
Checkpoint load(const std::shared_ptr<const WeightSource>& source, const LoadOptions& options);

}  // namespace refrain::diffusion::ldm4g
