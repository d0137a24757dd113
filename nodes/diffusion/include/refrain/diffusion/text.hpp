#pragma once
// Prompts: tokens, emphasis, chunks of 77, and their encoding. Follows comfy/sd1_clip.py.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/model.hpp>

#include <filesystem>
#include <functional>
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
  at::Tensor vector{};  ///< [D]: of a textual inversion, in place of the id's; undefined: none
};

/// The vectors [V, D] or [D] of the textual inversion that a prompt calls `embedding:name`; undefined where there is
/// none. An Image is Worth One Word. Gal et al. ICLR 2023, arXiv:2208.01618.
using FindInversion = std::function<at::Tensor(const std::string& name)>;

/// `(x)` multiplies by 1.1, `(x:1.3)` sets 1.3, `\(` is a literal.
std::vector<std::pair<std::string, float>> parse_emphasis(std::string_view prompt);
/// Chunks of 77, each start + up to 75 + end + padding. Throws Error `no_inversion` for an `embedding:name` that `find`
/// doesn't know: its name would be read as words.
std::vector<std::vector<WeightedToken>> tokenize_prompt(const ClipTokenizer& tokenizer, std::string_view prompt,
                                                        const FindInversion& find = {});

struct EncodedPrompt {
  at::Tensor cross_attention;  ///< [1, 77 * chunks, D] float32
  at::Tensor pooled;           ///< [1, D]
};
/// Encodes a prompt as ComfyUI's CLIPTextEncode does: emphasis interpolates from the empty prompt.
EncodedPrompt encode_prompt(const Clip& clip, std::string_view prompt, const FindInversion& find = {});

/// The vectors [V, D] float32 in a textual inversion's file, of width D. Throws ModelError when it holds none.
at::Tensor inversion_vectors(const WeightSource& file, std::int64_t width);

}  // namespace refrain::diffusion
