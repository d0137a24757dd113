#pragma once
// What travels on MODEL, CLIP and VAE edges: immutable, shared; a node that changes one makes a changed copy.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/cache_policy.hpp>
#include <refrain/diffusion/clip_text.hpp>
#include <refrain/diffusion/noise_schedule.hpp>
#include <refrain/diffusion/unet.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// What a value keeps in memory, owner and bytes of each block: with it a runtime counts weights, shared ones once.
using MemoryBlocks = std::vector<std::pair<const void*, std::size_t>>;

/// A denoising network with what a sampler must know about it. The value on a MODEL edge.
struct Model {
  static constexpr const char* kTypeName = "MODEL";
  std::string family;  ///< "sd1", ...
  std::shared_ptr<const UNet> unet;
  std::shared_ptr<const NoiseSchedule> schedule;  ///< sigmas of the training steps
  Placement placement;
  int latent_channels = 4;
  double latent_scale = 0.18215;                    ///< the sampler works on latent * latent_scale
  std::shared_ptr<const CachePolicy> cache_policy;  ///< null: every evaluation is full
  std::size_t weight_bytes = 0;                     ///< of the network, in the type it computes in
  static void memory(const Model& model, MemoryBlocks& blocks) {
    blocks.emplace_back(model.unet.get(), model.weight_bytes);
  }
};

class ClipTokenizer;

/// A text encoder with its tokenizer. The value on a CLIP edge.
struct Clip {
  static constexpr const char* kTypeName = "CLIP";
  std::shared_ptr<const ClipTextModel> text_model;
  std::shared_ptr<const ClipTokenizer> tokenizer;
  std::size_t weight_bytes = 0;
  static void memory(const Clip& clip, MemoryBlocks& blocks) {
    blocks.emplace_back(clip.text_model.get(), clip.weight_bytes);
  }
};

/// An autoencoder between pictures and latents. The value on a VAE edge.
struct Vae {
  static constexpr const char* kTypeName = "VAE";
  std::shared_ptr<const AutoencoderKL> autoencoder;
  std::size_t weight_bytes = 0;
  static void memory(const Vae& vae, MemoryBlocks& blocks) {
    blocks.emplace_back(vae.autoencoder.get(), vae.weight_bytes);
  }
};

/// The three parts of a checkpoint file.
struct Checkpoint {
  std::shared_ptr<const Model> model;
  std::shared_ptr<const Clip> clip;
  std::shared_ptr<const Vae> vae;
};

/// How to place the parts, all on one device. The text encoder's weights are rounded to float16 and it computes in
/// float32, as in ComfyUI.
struct LoadOptions {
  Placement placement;                            ///< of the U-Net
  at::ScalarType autoencoder_dtype = at::kFloat;  ///< of computation; float16 overflows in some
  std::filesystem::path vocabulary;  ///< bpe_simple_vocab_16e6.txt.gz, for checkpoints that don't carry their own
};

/// Loads a single-file checkpoint. Recognises the family from names and shapes.
/// Throws ModelError: not a checkpoint of a known family, or the tensor that is missing or has the wrong shape.
Checkpoint load_checkpoint(const std::filesystem::path& file, const LoadOptions& options);

}  // namespace refrain::diffusion
