#include "execution/value_memory.hpp"

#include <algorithm>

namespace refrain {

namespace {
constexpr std::size_t kLargeFrom = 16 * 1024;
}  // namespace

std::uint64_t merge(MemoryBlocks& blocks) {
  std::sort(blocks.begin(), blocks.end());
  const auto same_owner = [](const auto& a, const auto& b) { return a.first == b.first; };
  blocks.erase(std::unique(blocks.begin(), blocks.end(), same_owner), blocks.end());
  std::uint64_t small = 0;
  std::erase_if(blocks, [&](const auto& block) {
    if (block.second >= kLargeFrom) return false;
    small += block.second;
    return true;
  });
  return small;
}

}  // namespace refrain
