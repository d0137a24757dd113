#pragma once
// Cleans a text and splits it into the words that CLIP's byte-pair encoding works on.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion {

inline constexpr std::string_view kStartOfText = "<|startoftext|>";
inline constexpr std::string_view kEndOfText = "<|endoftext|>";

/// Cleaning: control characters out, spaces around CJK ideographs, NFC, lower case. Words: the two special tokens,
/// English contractions, runs of letters, single digits, runs of anything else but space. This is what the
/// transformers library's CLIPTokenizer does where ftfy isn't installed, as in ComfyUI. Immutable.
class WordSplitter {
 public:
  WordSplitter();
  ~WordSplitter();

  /// The words of a text in UTF-8, themselves in UTF-8. Malformed bytes are left out.
  std::vector<std::string> split(std::string_view text) const;

 private:
  struct Pattern;
  std::unique_ptr<const Pattern> pattern_;
};

}  // namespace refrain::diffusion
