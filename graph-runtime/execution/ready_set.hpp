#pragma once
// Which node runs next: a set of small integers that yields its smallest member in a few instructions.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace refrain {

/// A set of integers below a fixed bound, kept as a tree of 64-bit words: every operation costs one word a level,
/// and three levels hold 262,144 members.
class IndexSet {
 public:
  /// Empties the set and makes room for 0 .. bound-1.
  void reset(std::size_t bound) {
    std::size_t words = 0;
    depth_ = 0;
    for (std::size_t n = bound;; n = (n + 63) / 64) {
      level_[depth_++] = words;
      words += (n + 63) / 64 + (n == 0);
      if (n <= 64) break;
    }
    words_.assign(words, 0);
  }

  bool empty() const { return words_[level_[depth_ - 1]] == 0; }

  void insert(std::uint32_t member) {
    std::size_t i = member;
    for (int l = 0; l < depth_; ++l, i >>= 6) words_[level_[l] + (i >> 6)] |= std::uint64_t{1} << (i & 63);
  }

  void erase(std::uint32_t member) {
    std::size_t i = member;
    for (int l = 0; l < depth_; ++l, i >>= 6)
      if ((words_[level_[l] + (i >> 6)] &= ~(std::uint64_t{1} << (i & 63))) != 0) return;
  }

  bool contains(std::uint32_t member) const {
    return (words_[level_[0] + (member >> 6)] >> (member & 63)) & 1;
  }

  /// The smallest member; the set must not be empty.
  std::uint32_t first() const {
    std::size_t i = 0;
    for (int l = depth_ - 1; l >= 0; --l) i = i * 64 + std::countr_zero(words_[level_[l] + i]);
    return static_cast<std::uint32_t>(i);
  }

 private:
  static constexpr int kLevels = 6;  // 64^6 exceeds every 32-bit index
  std::vector<std::uint64_t> words_;
  std::size_t level_[kLevels] = {};
  int depth_ = 0;
};

/// How close a ready node is to an output; ComfyUI takes the closest first and, among equals, the first added
/// (comfy_execution/graph.py, ux_friendly_pick_node).
enum class Closeness : std::uint8_t { output, feeds_output, two_steps, farther };

/// The nodes that can run now.
class ReadySet {
 public:
  void reset(std::size_t bound) {
    for (IndexSet& set : sets_) set.reset(bound);
  }
  void insert(Closeness closeness, std::uint32_t order) { sets_[static_cast<int>(closeness)].insert(order); }
  void erase(Closeness closeness, std::uint32_t order) { sets_[static_cast<int>(closeness)].erase(order); }

  bool empty() const { return sets_[0].empty() && sets_[1].empty() && sets_[2].empty() && sets_[3].empty(); }

  /// Takes out the node to run next, by its order of being added; the set must not be empty.
  std::uint32_t take() {
    for (IndexSet& set : sets_) {
      if (set.empty()) continue;
      const std::uint32_t order = set.first();
      set.erase(order);
      return order;
    }
    return 0;
  }

 private:
  IndexSet sets_[4];
};

}  // namespace refrain
