#pragma once
// DDPM on pixels: Denoising Diffusion Probabilistic Models, Ho et al. NeurIPS 2020, arXiv:2006.11239, in the layout of
// ermongroup ddim (models/diffusion.py), plain or as torch's DataParallel saves it ("module." before every name), and
// in that of diffusers (UNet2DModel). CIFAR-10 and LSUN, whose sizes the shapes tell.
//
// The picture's side follows from the level that has attention, which stands at 16 x 16, unless the metadata gives it,
// as a model of reduced size must:
//   refrain.unet.sample_size     "64"

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/weights.hpp>

#include <memory>
#include <string>

namespace refrain::diffusion::ddpm {

inline constexpr const char* kFamily = "ddpm";
inline constexpr NoiseLaw kNoiseLaw{NoiseLaw::Spacing::linear, 1e-4, 0.02, 1000};

/// What a file of this family holds.
struct Sizes {
  UNetConfig unet;
  std::string prefix;  ///< "" or "module"
  int sample_size = 32;
};

/// In ermongroup's names or in those of diffusers.
bool recognise(const WeightSource& source);
/// Sizes from the shapes, of a source in ermongroup's names. Throws ModelError naming the tensor that is missing or has
/// an impossible shape.
Sizes read_sizes(const WeightSource& source);
Checkpoint load(const std::shared_ptr<const WeightSource>& source, const LoadOptions& options);

}  // namespace refrain::diffusion::ddpm
