#pragma once
// Which node runs next: a set of small integers that yields its smallest member in a few instructions.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace refrain {

/// A set of integers below a fixed bound: a bit for each, and a second row of bits for the words that are not zero.
/// first() looks through that second row, 64 * 64 members a word.
class IndexSet {
 public:
  /// Empties the set and makes room for 0 .. bound-1.
  void reset(std::size_t bound) {
    members_.assign(bound / 64 + 1, 0);
    filled_.assign(bound / 4096 + 1, 0);
  }

  void insert(std::uint32_t member) {
    members_[member >> 6] |= std::uint64_t{1} << (member & 63);
    filled_[member >> 12] |= std::uint64_t{1} << ((member >> 6) & 63);
  }

  void erase(std::uint32_t member) {
    if ((members_[member >> 6] &= ~(std::uint64_t{1} << (member & 63))) == 0)
      filled_[member >> 12] &= ~(std::uint64_t{1} << ((member >> 6) & 63));
  }

  bool contains(std::uint32_t member) const { return (members_[member >> 6] >> (member & 63)) & 1; }

  bool empty() const {
    return std::all_of(filled_.begin(), filled_.end(), [](std::uint64_t word) { return word == 0; });
  }

  /// The smallest member; the set must not be empty.
  std::uint32_t first() const {
    std::size_t block = 0;
    while (filled_[block] == 0) ++block;
    const std::size_t word = block * 64 + static_cast<std::size_t>(std::countr_zero(filled_[block]));
    return static_cast<std::uint32_t>(word * 64 + static_cast<std::size_t>(std::countr_zero(members_[word])));
  }

 private:
  std::vector<std::uint64_t> members_;
  std::vector<std::uint64_t> filled_;  // bit n: members_[n] is not zero
};

/// How close a ready node is to an output; ComfyUI takes the closest first and, among equals, the first added
/// (comfy_execution/graph.py, ux_friendly_pick_node).
enum class Closeness : std::uint8_t { output, feeds_output, two_steps, farther };

/// How close that makes the sources of a node.
constexpr Closeness one_step_before(Closeness closeness) {
  return closeness >= Closeness::two_steps ? Closeness::farther
                                           : static_cast<Closeness>(static_cast<int>(closeness) + 1);
}

/// The nodes that can run now.
class ReadySet {
 public:
  void reset(std::size_t bound) {
    for (IndexSet& set : sets_) set.reset(bound);
    for (std::size_t& size : sizes_) size = 0;
  }
  void insert(Closeness closeness, std::uint32_t order) {
    sets_[static_cast<int>(closeness)].insert(order);
    ++sizes_[static_cast<int>(closeness)];
  }
  /// Takes out a member.
  void erase(Closeness closeness, std::uint32_t order) {
    sets_[static_cast<int>(closeness)].erase(order);
    --sizes_[static_cast<int>(closeness)];
  }

  bool empty() const { return (sizes_[0] | sizes_[1] | sizes_[2] | sizes_[3]) == 0; }

  /// Takes out the node to run next, by its order of being added; the set must not be empty.
  std::uint32_t take() {
    int set = 0;
    while (sizes_[set] == 0) ++set;
    const std::uint32_t order = sets_[set].first();
    erase(static_cast<Closeness>(set), order);
    return order;
  }

 private:
  IndexSet sets_[4];
  std::size_t sizes_[4] = {};
};

}  // namespace refrain
