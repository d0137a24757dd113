#pragma once
// Which node runs next: a set of small integers that yields its smallest member in a few instructions.

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace refrain {

/// A set of integers below a fixed bound: a bit for each, a row of bits for the words that are not zero, and one more
/// for the words of that row. The smallest member is three steps away, for up to 64^3 of them.
class IndexSet {
 public:
  /// Empties the set and makes room for 0 .. bound-1.
  void reset(std::size_t bound) {
    members_.assign(bound / 64 + 1, 0);
    filled_.assign(bound / 4096 + 1, 0);
    top_.assign(bound / 262144 + 1, 0);
  }

  void insert(std::uint32_t member) {
    members_[member >> 6] |= bit(member);
    filled_[member >> 12] |= bit(member >> 6);
    top_[member >> 18] |= bit(member >> 12);
  }

  void erase(std::uint32_t member) {
    if ((members_[member >> 6] &= ~bit(member)) != 0) return;
    if ((filled_[member >> 12] &= ~bit(member >> 6)) != 0) return;
    top_[member >> 18] &= ~bit(member >> 12);
  }

  bool empty() const {
    return std::all_of(top_.begin(), top_.end(), [](std::uint64_t word) { return word == 0; });
  }

  /// The smallest member; the set must not be empty.
  std::uint32_t first() const {
    std::uint32_t at = 0;
    while (top_[at] == 0) ++at;
    at = 64 * at + lowest_bit(top_[at]);
    at = 64 * at + lowest_bit(filled_[at]);
    return 64 * at + lowest_bit(members_[at]);
  }

 private:
  static std::uint64_t bit(std::uint32_t n) { return std::uint64_t{1} << (n & 63); }
  static std::uint32_t lowest_bit(std::uint64_t word) { return static_cast<std::uint32_t>(std::countr_zero(word)); }

  std::vector<std::uint64_t> members_;
  std::vector<std::uint64_t> filled_;  // bit n: members_[n] is not zero
  std::vector<std::uint64_t> top_;     // bit n: filled_[n] is not zero
};

/// How close a ready node is to an output; ComfyUI takes the closest first and, among equals, the first added
/// (comfy_execution/graph.py, ux_friendly_pick_node).
enum class Closeness : std::uint8_t { output, feeds_output, two_steps, farther };

/// How close that makes the sources of a node.
constexpr Closeness one_step_before(Closeness closeness) {
  return closeness >= Closeness::two_steps ? Closeness::farther
                                           : static_cast<Closeness>(static_cast<int>(closeness) + 1);
}

/// The nodes that can run now, by closeness and then by their order of being added.
class ReadySet {
 public:
  void reset(std::size_t bound) {
    bound_ = static_cast<std::uint32_t>(bound);
    set_.reset(4 * bound);
  }
  void insert(Closeness closeness, std::uint32_t order) { set_.insert(place(closeness, order)); }
  /// Takes out a member.
  void erase(Closeness closeness, std::uint32_t order) { set_.erase(place(closeness, order)); }

  bool empty() const { return set_.empty(); }

  /// Takes out the node to run next, by its order of being added; the set must not be empty.
  std::uint32_t take() {
    std::uint32_t first = set_.first();
    set_.erase(first);
    while (first >= bound_) first -= bound_;
    return first;
  }

 private:
  std::uint32_t place(Closeness closeness, std::uint32_t order) const {
    return static_cast<std::uint32_t>(closeness) * bound_ + order;
  }

  IndexSet set_;
  std::uint32_t bound_ = 0;  // of the orders
};

}  // namespace refrain
