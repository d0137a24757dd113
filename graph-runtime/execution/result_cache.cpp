#include "execution/result_cache.hpp"

#include <utility>

namespace refrain {

ResultCache::Id ResultCache::find(const Signature& signature) {
  if (!unlisted_.empty()) index_unlisted();
  if (!signature || table_.empty()) return kNone;
  return table_[probe(signature)];
}

ResultCache::Id ResultCache::add(const Signature& signature, std::vector<std::vector<Value>>& outputs,
                                 std::uint32_t pins) {
  const Id id = take_entry();
  Entry& entry = at(id);
  if (outputs.size() == 1 && outputs[0].size() == 1) {
    entry.only = std::move(outputs[0][0]);
    outputs[0].clear();
  } else {
    entry.many = take_many(outputs);
  }
  entry.signature = signature;
  entry.pins = pins;
  if (signature) list(id);
  if (pins == 0) signature ? keep(id) : release(id);
  return id;
}

void ResultCache::pin(Id id, std::uint32_t times) {
  if (times == 0) return;
  Entry& entry = at(id);
  if (entry.pins == 0) unkeep(id);
  entry.pins += times;
}

void ResultCache::unpin(Id id) {
  Entry& entry = at(id);
  if (--entry.pins > 0) return;
  entry.signature ? keep(id) : release(id);
}

void ResultCache::forget(Id id) {
  Entry& entry = at(id);
  if (!entry.signature) return;
  unindex(id);
  entry.signature = {};
  if (entry.pins > 0) return;
  unkeep(id);
  release(id);
}

std::unique_ptr<ResultCache::Many> ResultCache::take_many(std::vector<std::vector<Value>>& outputs) {
  auto many = std::make_unique<Many>();
  for (std::vector<Value>& slot : outputs) {
    for (Value& value : slot) many->values.push_back(std::move(value));
    many->ends.push_back(static_cast<std::uint32_t>(many->values.size()));
    slot.clear();
  }
  return many;
}

std::size_t ResultCache::slots(Id id) const { return at(id).many ? at(id).many->ends.size() : 1; }

void ResultCache::clear() {
  while (oldest_ != kNone) forget(oldest_);
  if (free_.size() < used_) return;
  free_.clear();  // all entries are free: the next results lie side by side again
  unlisted_.clear();
  used_ = 0;
}

ResultCache::Id ResultCache::take_entry() {
  if (!free_.empty()) {
    const Id id = free_.back();
    free_.pop_back();
    return id;
  }
  if (used_ == blocks_.size() * kBlock) blocks_.push_back(std::make_unique<Entry[]>(kBlock));
  return used_++;
}

void ResultCache::release(Id id) {
  Entry& entry = at(id);
  entry.only = {};
  entry.many.reset();
  free_.push_back(id);
}

/// Puts a result that nobody reads any more at the young end, then makes room.
void ResultCache::keep(Id id) {
  Entry& entry = at(id);
  if (!count(entry)) {
    unindex(id);
    entry.signature = {};
    return release(id);
  }
  entry.older = newest_;
  entry.newer = kNone;
  (newest_ == kNone ? oldest_ : at(newest_).newer) = id;
  newest_ = id;
  ++kept_;
  if (kept_bytes_ > capacity_) make_room();
}

void ResultCache::make_room() {
  while (kept_bytes_ > capacity_) forget(oldest_);
}

void ResultCache::unkeep(Id id) {
  Entry& entry = at(id);
  (entry.older == kNone ? oldest_ : at(entry.older).newer) = entry.newer;
  (entry.newer == kNone ? newest_ : at(entry.newer).older) = entry.older;
  entry.older = entry.newer = kNone;
  --kept_;
  uncount(entry);
}

/// Adds what an entry keeps alive to the sum. False, and nothing added, for one that could never fit: it would push out
/// all the others first.
bool ResultCache::count(Entry& entry) {
  const std::span<const Value> values =
      entry.many ? std::span<const Value>(entry.many->values) : std::span<const Value>(&entry.only, 1);
  counted_.clear();
  entry.small = memory_of(values, counted_);
  if (!counted_.empty()) return count_large(entry);
  if (entry.small > capacity_) return false;
  kept_bytes_ += entry.small;
  return true;
}

/// The same for one with large blocks.
bool ResultCache::count_large(Entry& entry) {
  entry.small += merge(counted_);
  std::uint64_t total = entry.small;
  for (const auto& [owner, bytes] : counted_) total += bytes;
  if (total > capacity_) return false;
  kept_bytes_ += entry.small;
  if (counted_.empty()) return true;
  entry.large = std::make_unique<MemoryBlocks>(counted_);
  for (const auto& [owner, bytes] : *entry.large) {
    Shared& shared = shared_[owner];
    if (shared.results++ == 0) {
      shared.bytes = bytes;
      kept_bytes_ += bytes;
    }
  }
  return true;
}

void ResultCache::uncount(Entry& entry) {
  kept_bytes_ -= entry.small;
  if (!entry.large) return;
  for (const auto& [owner, bytes] : *entry.large) {
    const auto found = shared_.find(owner);
    if (--found->second.results > 0) continue;
    kept_bytes_ -= found->second.bytes;
    shared_.erase(found);
  }
  entry.large.reset();
}

/// The place of the signature in the table, or the free place where it belongs.
std::size_t ResultCache::probe(const Signature& signature) const {
  const std::size_t mask = table_.size() - 1;
  std::size_t place = signature.low & mask;
  while (table_[place] != kNone && at(table_[place]).signature != signature) place = (place + 1) & mask;
  return place;
}

/// Leaves an empty table as it is until somebody searches: a process that runs one workflow once never does.
void ResultCache::list(Id id) {
  if (indexed_ > 0) return index(id);
  unlisted_.push_back(id);
  if (unlisted_.size() > used_) index_unlisted();  // most have been forgotten again
}

/// An older result of the same signature gives way.
void ResultCache::index(Id id) {
  if (2 * (indexed_ + 1) > table_.size()) grow_table();
  const Signature& signature = at(id).signature;
  std::size_t place = probe(signature);
  if (table_[place] == id) return;
  if (table_[place] != kNone) {
    forget(table_[place]);
    place = probe(signature);
  }
  table_[place] = id;
  ++indexed_;
}

/// Some may have been forgotten meanwhile, and their entries taken again.
void ResultCache::index_unlisted() {
  for (const Id id : std::exchange(unlisted_, {}))
    if (at(id).signature) index(id);
}

/// Takes a result out of the table and moves those behind it up, so that no probe meets a hole before its goal.
void ResultCache::unindex(Id id) {
  if (table_.empty()) return;
  const std::size_t mask = table_.size() - 1;
  std::size_t hole = probe(at(id).signature);
  if (table_[hole] != id) return;
  table_[hole] = kNone;
  --indexed_;
  for (std::size_t place = (hole + 1) & mask; table_[place] != kNone; place = (place + 1) & mask) {
    const std::size_t home = at(table_[place]).signature.low & mask;
    if (((place - home) & mask) < ((place - hole) & mask)) continue;  // it stands between its home and the hole
    table_[hole] = std::exchange(table_[place], kNone);
    hole = place;
  }
}

void ResultCache::grow_table() {
  const std::vector<Id> before = std::exchange(table_, std::vector<Id>(table_.empty() ? 64 : table_.size() * 2, kNone));
  for (const Id id : before)
    if (id != kNone) table_[probe(at(id).signature)] = id;
}

}  // namespace refrain
