#pragma once
// The content signature of a result: what it was computed from, as 128 bits. Node ids take no part in it.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <type_traits>
#include <vector>

namespace refrain {

/// A 128-bit XXH3 hash. The zero signature stands for "not to be kept or shared".
struct Signature {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  explicit operator bool() const { return (low | high) != 0; }
  friend bool operator==(const Signature&, const Signature&) = default;
  friend auto operator<=>(const Signature&, const Signature&) = default;
};

/// Collects the bytes that a signature is made of. One object serves many signatures.
class SignatureBuilder {
 public:
  void clear() {
    size_ = 0;
    long_.clear();
  }
  /// Each value by itself: a struct would be put together in memory first, only to be read back from there at once.
  template <class... T>
  requires(std::is_trivially_copyable_v<T>&&...) void add(const T&... values) {
    if (size_ + (sizeof values + ...) <= sizeof short_)
      ((std::memcpy(short_ + size_, &values, sizeof values), size_ += sizeof values), ...);
    else
      (add_beyond(&values, sizeof values), ...);
  }
  /// Text with its length, so that "ab","c" differs from "a","bc".
  void add_text(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    add_bytes(text.data(), text.size());
  }
  /// The signature of all that was added; never zero.
  Signature finish() const;

 private:
  void add_bytes(const void* bytes, std::size_t count) {
    if (size_ + count <= sizeof short_) {
      std::memcpy(short_ + size_, bytes, count);
      size_ += count;
    } else {
      add_beyond(bytes, count);
    }
  }
  void add_beyond(const void* bytes, std::size_t count);

  char short_[512];         // enough for most nodes
  std::size_t size_ = 0;    // used of short_
  std::vector<char> long_;  // everything, once short_ was too small
};

}  // namespace refrain
