#pragma once
// How much memory values keep alive: what the result cache's bound counts.

#include <refrain/value.hpp>

#include <cstdint>
#include <span>

namespace refrain {

/// The memory of some values: small pieces summed up, large blocks one by one, so that shared ones can be counted once.
struct ValueMemory {
  std::uint64_t small = 0;
  MemoryBlocks large;

  std::uint64_t total() const;
};

/// Estimates what `values` keep alive: their structs, text, and the blocks that their types name (Value::memory).
ValueMemory memory_of(std::span<const Value> values);

}  // namespace refrain
