#include "execution/signature.hpp"

#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace refrain {

void SignatureBuilder::add_text(std::string_view text) {
  add(std::uint64_t{text.size()});
  const std::size_t words = (text.size() + sizeof *at_ - 1) / sizeof *at_;
  if (words == 0) return;
  if (static_cast<std::size_t>(words_.data() + words_.size() - at_) < words) grow(words);
  at_[words - 1] = 0;  // the text may end within it
  std::memcpy(at_, text.data(), text.size());
  at_ += words;
}

Signature SignatureBuilder::finish() const {
  const auto bytes = static_cast<std::size_t>(at_ - words_.data()) * sizeof *at_;
  const XXH128_hash_t hash = XXH3_128bits(words_.data(), bytes);
  const Signature signature{hash.low64, hash.high64};
  return signature ? signature : Signature{1, 0};
}

void SignatureBuilder::grow(std::size_t words) {
  const std::ptrdiff_t used = at_ - words_.data();
  words_.resize(2 * words_.size() + words);
  at_ = words_.data() + used;
}

}  // namespace refrain
