#include "execution/value_memory.hpp"

#include <algorithm>
#include <string>

namespace refrain {

namespace {
constexpr std::uint64_t kSharedObject = 48;        // control block, allocator's header and the Value that points there
constexpr std::size_t kLargeFrom = 16 * 1024;      // smaller blocks are not worth the search for those who share them
}  // namespace

std::uint64_t ValueMemory::total() const {
  std::uint64_t sum = small;
  for (const auto& [owner, bytes] : large) sum += bytes;
  return sum;
}

ValueMemory memory_of(std::span<const Value> values) {
  ValueMemory memory;
  for (const Value& value : values) {
    memory.small += kSharedObject + value.type().size;
    if (value.type() == TypeOf<std::string>::get()) memory.small += value.as<std::string>().capacity();
    value.memory(memory.large);
  }
  if (memory.large.empty()) return memory;
  std::sort(memory.large.begin(), memory.large.end());
  const auto same_owner = [](const auto& a, const auto& b) { return a.first == b.first; };
  memory.large.erase(std::unique(memory.large.begin(), memory.large.end(), same_owner), memory.large.end());
  std::erase_if(memory.large, [&](const auto& block) {
    if (block.second >= kLargeFrom) return false;
    memory.small += block.second;
    return true;
  });
  return memory;
}

}  // namespace refrain
