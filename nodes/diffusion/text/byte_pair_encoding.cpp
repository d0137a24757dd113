#include "byte_pair_encoding.hpp"

#include <array>
#include <functional>
#include <queue>
#include <stdexcept>
#include <utility>

namespace refrain::diffusion {

namespace {

constexpr int kBytes = 256;
constexpr int kFirstMerge = 2 * kBytes;
constexpr int kGone = -1;
constexpr std::string_view kEndOfWord = "</w>";

constexpr bool is_printable(int byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

/// The id of every byte: the printable ones come first, in rising order, then the others.
constexpr std::array<int, kBytes> make_byte_ids() {
  std::array<int, kBytes> ids{};
  int next = 0;
  for (const bool printable : {true, false}) {
    for (int byte = 0; byte < kBytes; ++byte) {
      if (is_printable(byte) == printable) ids[byte] = next++;
    }
  }
  return ids;
}
constexpr std::array<int, kBytes> kByteIds = make_byte_ids();

/// How the vocabulary file writes a byte: a printable one as that code point, the others as U+0100 and up, in UTF-8.
std::string written(int byte, int& next_substitute) {
  const int code_point = is_printable(byte) ? byte : 256 + next_substitute++;
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xC0 | (code_point >> 6)), static_cast<char>(0x80 | (code_point & 0x3F))};
}

std::uint64_t pair_key(int left, int right) {
  return (static_cast<std::uint64_t>(left) << 32) | static_cast<std::uint32_t>(right);
}

}  // namespace

BytePairEncoding::BytePairEncoding(const std::vector<std::string_view>& merges) {
  std::unordered_map<std::string, int> ids;
  ids.reserve(kFirstMerge + merges.size());
  int next_substitute = 0;
  for (int byte = 0; byte < kBytes; ++byte) {
    const std::string symbol = written(byte, next_substitute);
    ids.emplace(symbol, kByteIds[byte]);
    ids.emplace(symbol + std::string(kEndOfWord), kBytes + kByteIds[byte]);
  }
  ranks_.reserve(merges.size());
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const std::string_view line = merges[rank];
    const std::size_t space = line.find(' ');
    const auto left = ids.find(std::string(line.substr(0, space)));
    const auto right = ids.find(space == line.npos ? std::string() : std::string(line.substr(space + 1)));
    if (left == ids.end() || right == ids.end()) {
      throw std::invalid_argument("merge " + std::to_string(rank + 1) + " is not of two known symbols");
    }
    ranks_.emplace(pair_key(left->second, right->second), static_cast<int>(rank));
    ids.emplace(left->first + right->first, kFirstMerge + static_cast<int>(rank));
  }
}

int BytePairEncoding::rank(int left, int right) const {
  const auto found = ranks_.find(pair_key(left, right));
  return found == ranks_.end() ? -1 : found->second;
}

// A word as a doubly linked list of symbols, so that a merge costs the same wherever it happens.
struct BytePairEncoding::Symbols {
  std::vector<int> id, previous, next;

  explicit Symbols(std::string_view word) : id(word.size()), previous(word.size()), next(word.size()) {
    const int size = static_cast<int>(word.size());
    for (int i = 0; i < size; ++i) {
      id[i] = kByteIds[static_cast<unsigned char>(word[i])];
      previous[i] = i - 1;
      next[i] = i + 1 < size ? i + 1 : kGone;
    }
    id.back() += kBytes;
  }

  void merge_with_next(int at, int merged) {
    const int gone = next[at];
    id[at] = merged;
    id[gone] = kGone;
    next[at] = next[gone];
    if (next[at] != kGone) previous[next[at]] = at;
  }
};

void BytePairEncoding::encode(std::string_view word, std::vector<int>& ids) const {
  if (word.empty()) return;
  Symbols symbols(word);
  // Lowest rank first, from left to right. A merge only makes pairs of higher rank than its own, since the symbol that
  // it makes was not known before; so the queue's order is the order of repeated passes over the word.
  using Candidate = std::pair<int, int>;  // rank, position
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto consider = [&](int at) {
    if (at == kGone || symbols.next[at] == kGone) return;
    const int found = rank(symbols.id[at], symbols.id[symbols.next[at]]);
    if (found >= 0) candidates.emplace(found, at);
  };
  for (int i = 0; i < static_cast<int>(word.size()); ++i) consider(i);
  while (!candidates.empty()) {
    const auto [best, at] = candidates.top();
    candidates.pop();
    const bool still_there = symbols.id[at] != kGone && symbols.next[at] != kGone &&
                             rank(symbols.id[at], symbols.id[symbols.next[at]]) == best;
    if (!still_there) continue;
    symbols.merge_with_next(at, kFirstMerge + best);
    consider(symbols.previous[at]);
    consider(at);
  }
  for (int at = 0; at != kGone; at = symbols.next[at]) ids.push_back(symbols.id[at]);
}

}  // namespace refrain::diffusion
