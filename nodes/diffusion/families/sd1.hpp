#pragma once
// Stable Diffusion 1.x: the single-file layout of CompVis' checkpoints, and what its shapes don't tell.
//
// Sizes come from the tensors' shapes. Head counts can't: they are SD 1.x's own (8 in the U-Net, width / 64 in the text
// encoder) unless the file's safetensors metadata gives others, as a model of reduced width must:
//   refrain.unet.heads           heads of the U-Net's attention at every level, "8"
//   refrain.unet.head_channels   or the width of a head, "64"; it wins over refrain.unet.heads
//   refrain.clip.heads           heads of the text encoder, "4"
//   refrain.unet.sample_size     sides of the latents that it was trained on, "16"; without it 64

#include "families/ldm_sizes.hpp"

#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/clip_text.hpp>
#include <refrain/diffusion/unet.hpp>
#include <refrain/diffusion/weights.hpp>

#include <string>

namespace refrain::diffusion::sd1 {

inline constexpr const char* kFamily = "sd1";
using diffusion::kAutoencoderPrefix;
using diffusion::kUNetPrefix;
inline constexpr double kLatentScale = 0.18215;

/// What a file of this family holds.
struct Sizes {
  UNetConfig unet;
  ClipTextConfig clip;
  AutoencoderConfig autoencoder;
  std::string clip_prefix;  ///< old merges lack the "text_model" in it
  int sample_size = 64;     ///< sides of the latents that it was trained on
};

/// Whether names and shapes are this family's.
bool recognise(const WeightSource& source);
/// Sizes from the shapes. Throws ModelError naming the tensor that is missing or has an impossible shape.
Sizes read_sizes(const WeightSource& source);

/// The same questions about single parts, for files that hold no more.
bool recognise_unet(const WeightSource& source);
/// Path of the text encoder; empty where there is none.
std::string clip_prefix(const WeightSource& source);
UNetConfig read_unet(const WeightSource& source);
ClipTextConfig read_clip(const WeightSource& source, const std::string& prefix);
int read_sample_size(const WeightSource& source);

}  // namespace refrain::diffusion::sd1
