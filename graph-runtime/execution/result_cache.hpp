#pragma once
// The values that nodes gave: pinned while a run still reads them, kept within a bound of bytes afterwards.

#include <refrain/value.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "execution/signature.hpp"
#include "execution/value_memory.hpp"

namespace refrain {

/// Results by content signature. A result that is pinned stays; one that nobody pins any more is kept while the bound
/// allows, the least recently used goes first. A block of memory that several results share counts once.
/// Not for several threads at a time.
class ResultCache {
 public:
  using Id = std::uint32_t;
  static constexpr Id kNone = std::numeric_limits<Id>::max();

  /// `capacity`: bytes of values that are kept without being pinned.
  explicit ResultCache(std::uint64_t capacity) : capacity_(capacity) {}
  ResultCache(const ResultCache&) = delete;
  ResultCache& operator=(const ResultCache&) = delete;

  /// The result with this signature, or kNone. The zero signature is never found.
  Id find(const Signature& signature);

  /// Takes the values out of `outputs` (one vector a slot; left empty, with their room) as a result pinned `pins`
  /// times. One with the zero signature goes with its last pin. An older result of the same signature is forgotten.
  Id add(const Signature& signature, std::vector<std::vector<Value>>& outputs, std::uint32_t pins);

  void pin(Id id, std::uint32_t times = 1);
  /// Takes back one pin; with the last, the result is kept as far as the bound allows, or goes.
  void unpin(Id id);
  /// The result is not found any more, and goes with its last pin.
  void forget(Id id);

  /// The values of an output, in order: one, or any number for a list output. Valid while the result is pinned.
  std::span<const Value> values(Id id, std::size_t slot) const {
    const Entry& entry = at(id);
    return entry.many ? entry.many->slot(slot) : std::span<const Value>(&entry.only, 1);
  }
  std::size_t slots(Id id) const;

  std::uint64_t capacity() const { return capacity_; }
  /// Bytes of the values that are kept without being pinned.
  std::uint64_t kept_bytes() const { return kept_bytes_; }
  /// Results that are kept without being pinned.
  std::size_t kept() const { return kept_; }
  /// Drops every result that is not pinned.
  void clear();

 private:
  /// A result with more than one slot, or a list.
  struct Many {
    std::vector<Value> values;        // all slots in a row
    std::vector<std::uint32_t> ends;  // of each slot in `values`
    std::span<const Value> slot(std::size_t n) const {
      const std::uint32_t begin = n == 0 ? 0 : ends[n - 1];
      return {values.data() + begin, ends[n] - begin};
    }
  };
  struct Entry {
    Signature signature;
    Value only;                  // of a result with one slot of one value, as most are
    std::unique_ptr<Many> many;  // of all others
    std::uint32_t pins = 0;
    Id older = kNone, newer = kNone;  // neighbours in the order of use, while kept
    std::uint64_t small = 0;          // bytes, while kept; see memory_of()
    std::unique_ptr<MemoryBlocks> large;
  };
  static constexpr std::size_t kBlock = 256;  // entries never move: spans into them are handed out

  Entry& at(Id id) { return blocks_[id / kBlock][id % kBlock]; }
  const Entry& at(Id id) const { return blocks_[id / kBlock][id % kBlock]; }
  Id take_entry();
  void release(Id id);
  void keep(Id id);
  void unkeep(Id id);
  static std::unique_ptr<Many> take_many(std::vector<std::vector<Value>>& outputs);
  bool count(Entry& entry);
  [[gnu::cold]] bool count_large(Entry& entry);
  void uncount(Entry& entry);
  [[gnu::cold]] void make_room();

  std::size_t probe(const Signature& signature) const;
  void list(Id id);
  void index(Id id);
  void index_unlisted();
  void unindex(Id id);
  void grow_table();

  const std::uint64_t capacity_;
  std::uint64_t kept_bytes_ = 0;
  std::size_t kept_ = 0;
  Id oldest_ = kNone, newest_ = kNone;
  std::vector<std::unique_ptr<Entry[]>> blocks_;
  std::vector<Id> free_;
  Id used_ = 0;            // entries ever taken
  std::vector<Id> table_;  // open addressing, linear probing; a power of two long
  std::size_t indexed_ = 0;
  std::vector<Id> unlisted_;  // added while the table was empty, and not in it before the first search
  struct Shared {
    std::uint32_t results = 0;
    std::uint64_t bytes = 0;
  };
  std::unordered_map<const void*, Shared> shared_;  // large blocks of the kept results
  MemoryBlocks counted_;                            // of count()
};

}  // namespace refrain
