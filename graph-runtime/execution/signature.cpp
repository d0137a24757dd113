#include "execution/signature.hpp"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace refrain {

/// From here on everything goes into long_: short_ counts as full.
void SignatureBuilder::add_beyond(const void* bytes, std::size_t count) {
  if (long_.empty()) {
    long_.assign(short_, short_ + size_);
    size_ = sizeof short_;
  }
  const char* const begin = static_cast<const char*>(bytes);
  long_.insert(long_.end(), begin, begin + count);
}

Signature SignatureBuilder::finish() const {
  const XXH128_hash_t hash = long_.empty() ? XXH3_128bits(short_, size_) : XXH3_128bits(long_.data(), long_.size());
  const Signature signature{hash.low64, hash.high64};
  return signature ? signature : Signature{1, 0};
}

}  // namespace refrain
