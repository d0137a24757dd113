#pragma once
// What travels on MODEL, CLIP and VAE edges: immutable, shared; a node that changes one makes a changed copy.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/autoencoder.hpp>
#include <refrain/diffusion/cache_policy.hpp>
#include <refrain/diffusion/clip_text.hpp>
#include <refrain/diffusion/noise_law.hpp>
#include <refrain/diffusion/noise_schedule.hpp>
#include <refrain/diffusion/unet.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// What a value keeps in memory, owner and bytes of each block: with it a runtime counts weights, shared ones once.
using MemoryBlocks = std::vector<std::pair<const void*, std::size_t>>;

/// What the output of a network stands for.
enum class Prediction : std::uint8_t {
  noise,        ///< eps in x = x0 + sigma * eps
  velocity,     ///< v. Progressive Distillation. Salimans, Ho. ICLR 2022, arXiv:2202.00512, appendix D
  picture,      ///< x0
  consistency,  ///< noise, mixed with x near sigma 0. Latent Consistency Models. Luo et al. arXiv:2310.04378, eq. 9
  picture_from_picture  ///< x0, of an x that is not scaled
};

/// A denoising network with what a sampler must know about it. The value on a MODEL edge.
struct Model {
  static constexpr const char* kTypeName = "MODEL";
  std::string family;  ///< "sd1", "ldm4g", "ddpm"
  std::shared_ptr<const UNet> unet;
  std::shared_ptr<const NoiseSchedule> schedule;  ///< sigmas of the training steps
  NoiseLaw noise_law;                             ///< what `schedule` was made from
  Placement placement;
  int latent_channels = 4;
  int sample_size = 64;           ///< sides of the latents that it was trained on
  at::Tensor class_embedding;     ///< [classes + 1, D] float32, the last row for "no class"; undefined: none
  double latent_scale = 0.18215;  ///< the sampler works on latent * latent_scale
  Prediction prediction = Prediction::noise;
  /// Guidance is scaled down to the standard deviation of the positive prompt's estimate, by this share.
  std::optional<double> cfg_rescale;
  std::vector<UNetPatch> patches;                   ///< of the U-Net, in the order in which they were put there
  std::shared_ptr<const CachePolicy> cache_policy;  ///< null: every evaluation is full
  std::size_t weight_bytes = 0;                     ///< of the network, in the type it computes in
  /// What `unet` was made from, to lay changed weights over it; null: nothing can be laid over it.
  std::shared_ptr<const Weights> weights;
  std::size_t layer_bytes = 0;  ///< of the weights that a LoRA changed: in memory beside the network's
  static void memory(const Model& model, MemoryBlocks& blocks) {
    blocks.emplace_back(model.weights ? model.weights->owner() : model.unet.get(), model.weight_bytes);
    if (model.layer_bytes > 0) blocks.emplace_back(model.unet.get(), model.layer_bytes);
  }
};

class ClipTokenizer;

/// A text encoder with its tokenizer. The value on a CLIP edge.
struct Clip {
  static constexpr const char* kTypeName = "CLIP";
  std::shared_ptr<const ClipTextModel> text_model;
  std::shared_ptr<const ClipTokenizer> tokenizer;
  std::size_t weight_bytes = 0;
  int last_layer = -1;  ///< whose states prompts become, from the end; one that isn't there means the last
  /// What `text_model` was made from, before its changed weights are rounded to float16; null: nothing can be laid
  /// over it.
  std::shared_ptr<const Weights> weights{};
  std::size_t layer_bytes = 0;  ///< of the weights that a LoRA changed: in memory beside the encoder's
  static void memory(const Clip& clip, MemoryBlocks& blocks) {
    blocks.emplace_back(clip.weights ? clip.weights->owner() : clip.text_model.get(), clip.weight_bytes);
    if (clip.layer_bytes > 0) blocks.emplace_back(clip.text_model.get(), clip.layer_bytes);
  }
};

/// An autoencoder between pictures and latents. The value on a VAE edge.
struct Vae {
  static constexpr const char* kTypeName = "VAE";
  std::shared_ptr<const Autoencoder> autoencoder;
  std::size_t weight_bytes = 0;
  static void memory(const Vae& vae, MemoryBlocks& blocks) {
    blocks.emplace_back(vae.autoencoder.get(), vae.weight_bytes);
  }
};

/// The three parts of a checkpoint file. A family without prompts gives a CLIP without a text model, which says so when
/// it is asked to encode one; one that works on pixels gives a VAE that changes nothing.
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
  WeightOptions weights{};           ///< which of the file's weights
  /// Asked for `vocabulary` where that is empty and the checkpoint needs it.
  std::function<std::filesystem::path()> find_vocabulary{};
};

/// Loads a checkpoint from whatever open_weights opens: a safetensors file, a torch checkpoint, a folder of diffusers.
/// Recognises the family from names and shapes.
/// Throws ModelError: not a checkpoint of a known family, or the tensor that is missing or has the wrong shape.
Checkpoint load_checkpoint(const std::filesystem::path& file, const LoadOptions& options);

}  // namespace refrain::diffusion
