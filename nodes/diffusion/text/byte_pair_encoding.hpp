#pragma once
// Byte-level byte-pair encoding, as CLIP uses it.
// Neural Machine Translation of Rare Words with Subword Units. Sennrich, Haddow, Birch. ACL 2016, arXiv:1508.07909.

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace refrain::diffusion {

/// The merge table. Ids: 0..255 single bytes, 256..511 single bytes that end a word, then one for each merge.
/// Immutable after construction.
class BytePairEncoding {
 public:
  /// `merges`: lines of two symbols and a space between, most frequent first.
  /// Throws std::invalid_argument naming the first line that is not a merge of symbols known before it.
  explicit BytePairEncoding(const std::vector<std::string_view>& merges);

  /// Appends the ids of one word, given as bytes; an empty word has none. Takes n log n steps for n bytes.
  void encode(std::string_view word, std::vector<int>& ids) const;

 private:
  struct Symbols;

  /// Rank of the merge of two neighbours, or -1 where they don't merge.
  int rank(int left, int right) const;

  std::unordered_map<std::uint64_t, int> ranks_;  // of a pair of ids
};

}  // namespace refrain::diffusion
