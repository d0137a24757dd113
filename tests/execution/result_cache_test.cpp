// The bounded store of results, by itself.

#include "execution/result_cache.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "execution/ready_set.hpp"

namespace refrain {
namespace {

struct Block {
  static constexpr const char* kTypeName = "BLOCK";
  std::size_t bytes = 0;
  static void memory(const Block& block, MemoryBlocks& blocks) { blocks.emplace_back(&block, block.bytes); }
};

Signature signature(std::uint64_t n) { return {n * 0x9E3779B97F4A7C15u + 1, n}; }

/// Adds a result of one block and lets go of it.
ResultCache::Id add(ResultCache& cache, std::uint64_t n, std::size_t bytes, std::uint32_t pins = 0) {
  std::vector<std::vector<Value>> outputs(1);
  outputs[0].push_back(Value::make(Block{bytes}));
  return cache.add(signature(n), outputs, pins);
}

bool has(ResultCache& cache, std::uint64_t n) { return cache.find(signature(n)) != ResultCache::kNone; }

constexpr std::size_t kSmall = 1 << 20;

TEST(ResultCache, FindsWhatWasAdded) {
  ResultCache cache(std::uint64_t{1} << 30);
  for (std::uint64_t n = 1; n <= 1000; ++n) add(cache, n, 0);
  for (std::uint64_t n = 1; n <= 1000; ++n) EXPECT_TRUE(has(cache, n)) << n;
  EXPECT_FALSE(has(cache, 1001));
  EXPECT_EQ(cache.kept(), 1000u);
}

TEST(ResultCache, EvictsTheLeastRecentlyUsedFirst) {
  ResultCache cache(3 * kSmall + 4096);
  for (std::uint64_t n = 1; n <= 3; ++n) add(cache, n, kSmall);
  const ResultCache::Id first = cache.find(signature(1));
  cache.pin(first);
  cache.unpin(first);  // 1 was just used
  add(cache, 4, kSmall);
  EXPECT_TRUE(has(cache, 1));
  EXPECT_FALSE(has(cache, 2));
  EXPECT_TRUE(has(cache, 3));
  EXPECT_TRUE(has(cache, 4));
}

TEST(ResultCache, NeverEvictsWhatIsPinnedNorCountsIt) {
  ResultCache cache(kSmall + 4096);
  const ResultCache::Id pinned = add(cache, 1, kSmall, 1);
  EXPECT_EQ(cache.kept_bytes(), 0u);
  add(cache, 2, kSmall);
  add(cache, 3, kSmall);
  EXPECT_TRUE(has(cache, 1));
  EXPECT_FALSE(has(cache, 2));
  EXPECT_EQ(cache.values(pinned, 0).size(), 1u);
}

TEST(ResultCache, LetsGoOfOneThatCanNeverFitWithoutEvictingOthers) {
  ResultCache cache(2 * kSmall);
  add(cache, 1, kSmall);
  add(cache, 2, 5 * kSmall);
  EXPECT_TRUE(has(cache, 1));
  EXPECT_FALSE(has(cache, 2));
}

TEST(ResultCache, NeverFindsTheZeroSignature) {
  ResultCache cache(kSmall);
  std::vector<std::vector<Value>> outputs(1);
  outputs[0].push_back(Value::make(Block{}));
  const ResultCache::Id id = cache.add({}, outputs, 1);
  EXPECT_EQ(cache.find({}), ResultCache::kNone);
  cache.unpin(id);
  EXPECT_EQ(cache.kept(), 0u);
}

TEST(ResultCache, TheNewerOfTwoWithOneSignatureStays) {
  for (const bool searched_before : {false, true}) {
    ResultCache cache(std::uint64_t{1} << 30);
    add(cache, 7, 0);
    if (searched_before) {
      EXPECT_TRUE(has(cache, 7));
    }
    const ResultCache::Id older = add(cache, 1, 0, 1);
    const ResultCache::Id newer = add(cache, 1, 0, 1);
    EXPECT_EQ(cache.find(signature(1)), newer);
    cache.unpin(older);
    cache.unpin(newer);
    EXPECT_EQ(cache.find(signature(1)), newer);
    EXPECT_EQ(cache.kept(), 2u);
  }
}

TEST(ResultCache, FindsAfterManyWereForgottenUnsearched) {
  ResultCache cache(std::uint64_t{1} << 30);
  for (std::uint64_t n = 1; n <= 1000; ++n) {
    const ResultCache::Id id = add(cache, n, 0);
    if (n % 3 != 0) cache.forget(id);  // its entry serves the next one
  }
  for (std::uint64_t n = 1; n <= 1000; ++n) EXPECT_EQ(has(cache, n), n % 3 == 0) << n;
  EXPECT_EQ(cache.kept(), 333u);
}

TEST(ResultCache, KeepsListsSlotBySlot) {
  ResultCache cache(kSmall);
  std::vector<std::vector<Value>> outputs(3);
  for (int i = 0; i < 3; ++i) outputs[1].push_back(Value::make(std::int64_t{i}));
  outputs[2].push_back(Value::make(std::int64_t{9}));
  const ResultCache::Id id = cache.add(signature(1), outputs, 1);
  EXPECT_EQ(cache.slots(id), 3u);
  EXPECT_EQ(cache.values(id, 0).size(), 0u);
  ASSERT_EQ(cache.values(id, 1).size(), 3u);
  EXPECT_EQ(cache.values(id, 1)[2].as<std::int64_t>(), 2);
  EXPECT_EQ(cache.values(id, 2)[0].as<std::int64_t>(), 9);
}

TEST(ResultCache, StaysConsistentUnderRandomUse) {
  ResultCache cache(20 * kSmall);
  std::mt19937 random(7);  // fixed, so that a failure comes again
  std::map<std::uint64_t, ResultCache::Id> pinned;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t n = 1 + random() % 60;
    if (const auto held = pinned.find(n); held != pinned.end()) {
      EXPECT_EQ(cache.find(signature(n)), held->second);
      if (random() % 4 == 0) cache.forget(held->second);
      cache.unpin(held->second);
      pinned.erase(held);
    } else if (const ResultCache::Id kept = cache.find(signature(n)); kept != ResultCache::kNone) {
      cache.pin(kept);
      pinned[n] = kept;
    } else {
      pinned[n] = add(cache, n, kSmall, 1);
    }
    ASSERT_LE(cache.kept_bytes(), cache.capacity());
  }
  for (const auto& [n, id] : pinned) cache.unpin(id);
  EXPECT_LE(cache.kept(), 20u);
  cache.clear();
  EXPECT_EQ(cache.kept_bytes(), 0u);
}

TEST(IndexSet, GivesItsSmallestMember) {
  for (const std::size_t bound : {1u, 64u, 65u, 4096u, 4097u, 300'000u}) {
    IndexSet set;
    set.reset(bound);
    EXPECT_TRUE(set.empty());
    const auto last = static_cast<std::uint32_t>(bound - 1);
    set.insert(last);
    EXPECT_EQ(set.first(), last);
    set.insert(last / 2);
    EXPECT_EQ(set.first(), last / 2);
    set.erase(last / 2);
    if (last / 2 != last) {
      EXPECT_EQ(set.first(), last);
      set.erase(last);
    }
    EXPECT_TRUE(set.empty()) << bound;
  }
}

}  // namespace
}  // namespace refrain
