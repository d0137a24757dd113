#pragma once
// How much memory values keep alive: what the result cache's bound counts.

#include <refrain/value.hpp>

#include <cstdint>
#include <span>
#include <string>

namespace refrain {

/// Control block, allocator's header and the Value that points there.
inline constexpr std::uint64_t kSharedObject = 48;

/// Estimates what `values` keep alive. Returns the sum of structs and text in bytes; the blocks that their types name
/// (Value::memory) are appended to `blocks`.
inline std::uint64_t memory_of(std::span<const Value> values, MemoryBlocks& blocks) {
  std::uint64_t small = 0;
  for (const Value& value : values) {
    small += kSharedObject + value.type().size;
    if (value.type() == TypeOf<std::string>::get()) small += value.as<std::string>().capacity();
    value.memory(blocks);
  }
  return small;
}

/// Leaves each owner once in `blocks`, so that what several results share can be counted once, and no small blocks,
/// which are not worth the search for those who share them. Returns the bytes of the small ones.
std::uint64_t merge(MemoryBlocks& blocks);

}  // namespace refrain
