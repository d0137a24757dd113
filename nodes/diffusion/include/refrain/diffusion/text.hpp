#pragma once
// Prompts: tokens, emphasis, chunks of 77, and their encoding. Follows comfy/sd1_clip.py.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/model.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// CLIP's byte-level BPE, with its vocabulary or that of another model. Immutable, shareable between threads.
class ClipTokenizer {
 public:
  /// Reads bpe_simple_vocab_16e6.txt.gz. Throws ModelError saying how to get the file when it is missing or damaged.
  static std::shared_ptr<const ClipTokenizer> open(const std::filesystem::path& vocabulary);
  /// A vocabulary of a model's own, the unpacked text: a header line, then one merge a line, the most frequent first.
  /// `where` names it in messages. Throws ModelError "vocabulary_damaged".
  static std::shared_ptr<const ClipTokenizer> read(std::string_view text, const std::string& where);
  ~ClipTokenizer();

  /// Ids of a text, without start and end.
  std::vector<int> encode(std::string_view text) const;
  int start() const { return start_; }
  int end() const { return start_ + 1; }
  /// Number of different ids; start and end are the last two.
  int size() const { return start_ + 2; }

 private:
  explicit ClipTokenizer(const std::vector<std::string_view>& merges);
  struct Tables;
  std::unique_ptr<Tables> tables_;
  int start_;
};

struct WeightedToken {
  int id = 0;
  float weight = 1.0F;
};

/// `(x)` multiplies by 1.1, `(x:1.3)` sets 1.3, `\(` is a literal.
std::vector<std::pair<std::string, float>> parse_emphasis(std::string_view prompt);
/// Chunks of 77, each start + up to 75 + end + padding.
std::vector<std::vector<WeightedToken>> tokenize_prompt(const ClipTokenizer& tokenizer, std::string_view prompt);

struct EncodedPrompt {
  at::Tensor cross_attention;  ///< [1, 77 * chunks, D] float32
  at::Tensor pooled;           ///< [1, D]
};
/// Encodes a prompt as ComfyUI's CLIPTextEncode does: emphasis interpolates from the empty prompt.
EncodedPrompt encode_prompt(const Clip& clip, std::string_view prompt);

}  // namespace refrain::diffusion
