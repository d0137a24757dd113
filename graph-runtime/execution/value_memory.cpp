#include "execution/value_memory.hpp"

#include <algorithm>
#include <string>

namespace refrain {

namespace {
constexpr std::uint64_t kSharedObject = 48;    // control block, allocator's header and the Value that points there
constexpr std::size_t kLargeFrom = 16 * 1024;  // smaller blocks are not worth the search for those who share them
}  // namespace

std::uint64_t memory_of(std::span<const Value> values, MemoryBlocks& large) {
  std::uint64_t small = 0;
  for (const Value& value : values) {
    small += kSharedObject + value.type().size;
    if (value.type() == TypeOf<std::string>::get()) small += value.as<std::string>().capacity();
    value.memory(large);
  }
  if (large.empty()) return small;
  std::sort(large.begin(), large.end());
  const auto same_owner = [](const auto& a, const auto& b) { return a.first == b.first; };
  large.erase(std::unique(large.begin(), large.end(), same_owner), large.end());
  std::erase_if(large, [&](const auto& block) {
    if (block.second >= kLargeFrom) return false;
    small += block.second;
    return true;
  });
  return small;
}

}  // namespace refrain
