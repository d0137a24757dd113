#pragma once
// The content signature of a result: what it was computed from, as 128 bits. Node ids take no part in it.

#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>
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

/// Collects what a signature is made of. One object serves many signatures.
class SignatureBuilder {
 public:
  void clear() { at_ = words_.data(); }
  void add(std::same_as<std::uint64_t> auto... words) {
    if (static_cast<std::size_t>(words_.data() + words_.size() - at_) < sizeof...(words)) grow(sizeof...(words));
    ((*at_++ = words), ...);
  }
  /// Text with its length, so that "ab","c" differs from "a","bc".
  void add_text(std::string_view text);
  /// The signature of all that was added; never zero.
  Signature finish() const;

 private:
  void grow(std::size_t words);

  std::vector<std::uint64_t> words_ = std::vector<std::uint64_t>(64);  // enough for most nodes
  std::uint64_t* at_ = words_.data();                                  // behind the last one added
};

}  // namespace refrain
