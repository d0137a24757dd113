#pragma once
// How much memory values keep alive: what the result cache's bound counts.

#include <refrain/value.hpp>

#include <cstdint>
#include <span>

namespace refrain {

/// Estimates what `values` keep alive. Returns the sum of the small pieces (structs, text) in bytes; `large`, empty on
/// entry, receives the blocks that their types name (Value::memory), each owner once, so that what several results
/// share can be counted once.
std::uint64_t memory_of(std::span<const Value> values, MemoryBlocks& large);

}  // namespace refrain
