// NumPy's SeedSequence: hashes entropy into a pool, and the pool into as many words as are wanted.
// M. E. O'Neill, "Developing a seed_seq Alternative", 2015; numpy/random/bit_generator.pyx (NumPy 1.17) has the
// constants.

#include <algorithm>
#include <vector>

#include "brownian_tree.hpp"

namespace refrain::diffusion {

namespace {

constexpr std::size_t kPool = 24;

/// Each call hashes with another constant.
class Hash {
 public:
  Hash(std::uint32_t first, std::uint32_t factor) : constant_(first), factor_(factor) {}

  std::uint32_t operator()(std::uint32_t value) {
    value ^= constant_;
    constant_ *= factor_;
    value *= constant_;
    return value ^ (value >> 16U);
  }

 private:
  std::uint32_t constant_;
  std::uint32_t factor_;
};

std::uint32_t mixed(std::uint32_t x, std::uint32_t y) {
  const std::uint32_t result = 0xca01f9ddU * x - 0x4973f715U * y;
  return result ^ (result >> 16U);
}

/// Words of a number, the lowest first; one word for 0.
void append_words(std::vector<std::uint32_t>& words, std::uint64_t number) {
  words.push_back(static_cast<std::uint32_t>(number));
  if (number >> 32U != 0) words.push_back(static_cast<std::uint32_t>(number >> 32U));
}

}  // namespace

std::array<std::uint32_t, 4> spawned_seeds(std::uint64_t entropy, std::span<const std::uint64_t> spawn_key) {
  std::vector<std::uint32_t> words;
  append_words(words, entropy);
  if (!spawn_key.empty()) words.resize(std::max(words.size(), kPool));
  for (const std::uint64_t part : spawn_key) append_words(words, part);

  std::array<std::uint32_t, kPool> pool{};
  Hash hash(0x43b0d7e5U, 0x931e8875U);
  for (std::size_t i = 0; i < kPool; ++i) pool[i] = hash(i < words.size() ? words[i] : 0);
  for (std::size_t from = 0; from < kPool; ++from) {
    for (std::size_t to = 0; to < kPool; ++to) {
      if (from != to) pool[to] = mixed(pool[to], hash(pool[from]));
    }
  }
  for (std::size_t from = kPool; from < words.size(); ++from) {
    for (std::uint32_t& to : pool) to = mixed(to, hash(words[from]));
  }

  std::array<std::uint32_t, 4> seeds{};
  Hash output(0x8b51f9ddU, 0x58f38dedU);
  for (std::size_t i = 0; i < seeds.size(); ++i) seeds[i] = output(pool[i]);
  return seeds;
}

}  // namespace refrain::diffusion
