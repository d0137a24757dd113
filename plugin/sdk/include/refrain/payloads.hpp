#pragma once
// The payloads that ComfyUI's nodes exchange, under its names, so that values pass between the two without copies.
// Letters: N batch, H W picture sides, h w latent sides, C channels, T text tokens, D width of a token.

#include <refrain/tensor.hpp>
#include <refrain/value.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace refrain {

namespace detail {
/// The storage of a tensor; views of one storage are the same memory.
inline void add_storage(const at::Tensor& tensor, MemoryBlocks& blocks) {
  if (tensor.defined() && tensor.has_storage()) {
    blocks.emplace_back(tensor.storage().unsafeGetStorageImpl(), tensor.storage().nbytes());
  }
}
}  // namespace detail

/// A batch of pictures.
struct Image {
  static constexpr const char* kTypeName = "IMAGE";
  at::Tensor pixels{};  ///< float32 [N, H, W, C] in 0..1, C is 3 or 4
  static void memory(const Image& image, MemoryBlocks& blocks) { detail::add_storage(image.pixels, blocks); }
};

/// A batch of masks.
struct Mask {
  static constexpr const char* kTypeName = "MASK";
  at::Tensor values{};  ///< float32 [N, H, W] in 0..1
  static void memory(const Mask& mask, MemoryBlocks& blocks) { detail::add_storage(mask.values, blocks); }
};

/// A batch of latents, unscaled: as the autoencoder gives and takes them, before the sampler's factor.
struct Latent {
  static constexpr const char* kTypeName = "LATENT";
  at::Tensor samples{};                     ///< float32 [N, C, h, w]
  at::Tensor noise_mask{};                  ///< float32 [N, 1, H, W], 1 where noise may go; undefined: everywhere
  std::vector<std::int64_t> batch_index{};  ///< which noise of the batch each sample draws; empty: 0, 1, 2, ...
  static void memory(const Latent& latent, MemoryBlocks& blocks) {
    detail::add_storage(latent.samples, blocks);
    detail::add_storage(latent.noise_mask, blocks);
  }
};

/// What a prompt or a part of one says, and where and when it holds.
struct ConditioningItem {
  using Option = std::variant<bool, std::int64_t, double, std::string, std::vector<double>, at::Tensor>;

  at::Tensor tokens{};                                   ///< [1, T, D]
  at::Tensor pooled{};                                   ///< [1, P]; undefined where the encoder gives none
  std::map<std::string, Option, std::less<>> options{};  ///< ComfyUI's keys: "strength", "area", "start_percent", ...
};

/// What the model is told: a list of items, each of which is evaluated.
struct Conditioning {
  static constexpr const char* kTypeName = "CONDITIONING";
  std::vector<ConditioningItem> items{};
  static void memory(const Conditioning& conditioning, MemoryBlocks& blocks) {
    for (const ConditioningItem& item : conditioning.items) {
      detail::add_storage(item.tokens, blocks);
      detail::add_storage(item.pooled, blocks);
    }
  }
};

/// Noise levels of a sampling run.
struct Sigmas {
  static constexpr const char* kTypeName = "SIGMAS";
  at::Tensor values{};  ///< float32 [n + 1] on the CPU, descending; the last is usually 0
  static void memory(const Sigmas& sigmas, MemoryBlocks& blocks) { detail::add_storage(sigmas.values, blocks); }
};

/// Hidden input: the workflow that runs, in ComfyUI's API format, as Python's json.dumps writes it.
struct Prompt {
  static constexpr const char* kTypeName = "PROMPT";
  std::string json{};
};

/// Hidden input: what else belongs into a saved picture, mostly the workflow in the UI's own format.
struct ExtraPngInfo {
  static constexpr const char* kTypeName = "EXTRA_PNGINFO";
  std::vector<std::pair<std::string, std::string>> chunks{};  ///< key and JSON text
};

/// Hidden input: the id of the node in the workflow, "12:5" inside a subgraph.
struct UniqueId {
  static constexpr const char* kTypeName = "UNIQUE_ID";
  std::string id{};
};

}  // namespace refrain
