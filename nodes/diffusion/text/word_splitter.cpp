#include "word_splitter.hpp"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/regex.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

namespace refrain::diffusion {

namespace {

void check(UErrorCode status, const char* what) {
  if (U_FAILURE(status)) throw std::runtime_error(std::string(what) + ": " + u_errorName(status));
}

/// The blocks of ideographs that a space is put around: each becomes a word of its own.
bool is_ideograph(UChar32 c) {
  static constexpr std::array<std::pair<UChar32, UChar32>, 8> kBlocks{{{0x3400, 0x4DBF},
                                                                       {0x4E00, 0x9FFF},
                                                                       {0xF900, 0xFAFF},
                                                                       {0x20000, 0x2A6DF},
                                                                       {0x2A700, 0x2B73F},
                                                                       {0x2B740, 0x2B81F},
                                                                       {0x2B820, 0x2CEAF},
                                                                       {0x2F800, 0x2FA1F}}};
  return std::ranges::any_of(kBlocks, [c](auto block) { return c >= block.first && c <= block.second; });
}

bool is_space(UChar32 c) { return c == '\t' || c == '\n' || c == '\r' || (U_GET_GC_MASK(c) & U_GC_Z_MASK) != 0; }

icu::UnicodeString clean(std::string_view text) {
  const icu::UnicodeString source =
      icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  constexpr UChar32 kReplacement = 0xFFFD;  // also what malformed UTF-8 was read as
  icu::UnicodeString cleaned;
  for (std::int32_t i = 0; i < source.length(); i = source.moveIndex32(i, 1)) {
    const UChar32 c = source.char32At(i);
    if (is_space(c)) {
      cleaned.append(UChar32{' '});
    } else if (is_ideograph(c)) {
      cleaned.append(UChar32{' '}).append(c).append(UChar32{' '});
    } else if (c != kReplacement && (U_GET_GC_MASK(c) & U_GC_C_MASK) == 0) {
      cleaned.append(c);
    }
  }
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfc = icu::Normalizer2::getNFCInstance(status);
  check(status, "Unicode normalisation is not available");
  icu::UnicodeString normalised = nfc->normalize(cleaned, status);
  check(status, "Unicode normalisation failed");
  return normalised.toLower(icu::Locale::getRoot());
}

}  // namespace

struct WordSplitter::Pattern {
  std::unique_ptr<icu::RegexPattern> words;
};

WordSplitter::WordSplitter() {
  UErrorCode status = U_ZERO_ERROR;
  UParseError where;
  // The reference matches without regard to case. After lower-casing that shows in two places: the long s also makes a
  // contraction, and U+0345, the iota subscript, whose capital is a letter though it is none, belongs to no word.
  const icu::UnicodeString pattern = icu::UnicodeString::fromUTF8(
      R"(<\|startoftext\|>|<\|endoftext\|>|'[sſ]|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}\u0345]+)");
  auto words = std::unique_ptr<icu::RegexPattern>(icu::RegexPattern::compile(pattern, 0, where, status));
  check(status, "the pattern of words");
  pattern_ = std::make_unique<Pattern>(Pattern{std::move(words)});
}

WordSplitter::~WordSplitter() = default;

std::vector<std::string> WordSplitter::split(std::string_view text) const {
  std::vector<std::string> words;
  const auto split_plain = [&](std::string_view part) {
    const icu::UnicodeString cleaned = clean(part);
    UErrorCode status = U_ZERO_ERROR;
    const std::unique_ptr<icu::RegexMatcher> matcher(pattern_->words->matcher(cleaned, status));
    check(status, "splitting a prompt into words");
    while (matcher->find(status)) matcher->group(status).toUTF8String(words.emplace_back());
    check(status, "splitting a prompt into words");
  };
  // A special token in the text counts before anything else, so that "'<|endoftext|>" doesn't swallow its "<|".
  while (!text.empty()) {
    const std::size_t start = text.find(kStartOfText), end = text.find(kEndOfText);
    const std::size_t at = std::min(start, end);
    split_plain(text.substr(0, at));
    if (at == text.npos) break;
    const std::string_view special = start < end ? kStartOfText : kEndOfText;
    words.emplace_back(special);
    text.remove_prefix(at + special.size());
  }
  return words;
}

}  // namespace refrain::diffusion
