#include <zlib.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/text.hpp>

#include <limits>
#include <stdexcept>
#include <system_error>

#include "byte_pair_encoding.hpp"
#include "word_splitter.hpp"

namespace refrain::diffusion {

namespace {

constexpr int kFirstMerge = 512;                     // before it the bytes, alone and ending a word
constexpr std::size_t kMerges = 48894;               // what is left of CLIP's 49,408 ids
constexpr std::size_t kLargestVocabulary = 1 << 24;  // the real one is 3 MB: a larger one is no vocabulary

const char* const kRemedy =
    "\n  `make setup` takes the file from the package open_clip_torch; by hand: unpack bpe_simple_vocab_16e6.txt.gz "
    "from that package and put it there.";

ModelError damaged(const std::string& where, const std::string& why, const std::string& remedy) {
  return {"vocabulary_damaged", "the vocabulary of the tokenizer is damaged: " + where + ": " + why + remedy};
}
ModelError damaged(const std::filesystem::path& file, const std::string& why) {
  return damaged(file.string(), why, kRemedy);
}

/// The unpacked text of a gzip file.
std::string unpack(const std::filesystem::path& file) {
  struct Close {
    void operator()(gzFile_s* stream) const { gzclose(stream); }
  };
  const std::unique_ptr<gzFile_s, Close> stream(gzopen(file.c_str(), "rb"));
  if (!stream) {
    throw ModelError("vocabulary_missing", "the vocabulary of the tokenizer can't be read: " + file.string() + kRemedy);
  }
  std::string text, buffer(1 << 16, '\0');
  for (;;) {
    const int count = gzread(stream.get(), buffer.data(), static_cast<unsigned>(buffer.size()));
    if (count < 0) throw damaged(file, "not a whole gzip file");
    if (count == 0) break;
    text.append(buffer, 0, static_cast<std::size_t>(count));
    if (text.size() > kLargestVocabulary) throw damaged(file, "far too large");
  }
  int state = Z_OK;
  gzerror(stream.get(), &state);  // a file that ends too early shows only here
  if (state != Z_OK && state != Z_STREAM_END) throw damaged(file, "not a whole gzip file");
  return text;
}

/// The lines after the header, at most `most` of them; a last one that lacks its newline is cut short and left out.
std::vector<std::string_view> merge_lines(std::string_view text, std::size_t most) {
  std::vector<std::string_view> lines;
  std::size_t at = text.find('\n');  // ends the header
  while (at != text.npos && lines.size() < most) {
    const std::size_t begin = at + 1;
    at = text.find('\n', begin);
    if (at != text.npos) lines.push_back(text.substr(begin, at - begin));
  }
  return lines;
}

}  // namespace

struct ClipTokenizer::Tables {
  BytePairEncoding merges;
  WordSplitter words;
};

ClipTokenizer::ClipTokenizer(const std::vector<std::string_view>& merges)
    : tables_(new Tables{BytePairEncoding(merges), {}}), start_(kFirstMerge + static_cast<int>(merges.size())) {}
ClipTokenizer::~ClipTokenizer() = default;

std::shared_ptr<const ClipTokenizer> ClipTokenizer::open(const std::filesystem::path& vocabulary) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(vocabulary, ignored)) {
    throw ModelError("vocabulary_missing", "the vocabulary of the tokenizer is missing: " +
                                               (vocabulary.empty() ? "no file was named" : vocabulary.string()) +
                                               kRemedy);
  }
  const std::string text = unpack(vocabulary);
  const std::vector<std::string_view> merges = merge_lines(text, kMerges);
  if (merges.size() < kMerges) throw damaged(vocabulary, std::to_string(merges.size()) + " merges instead of 48894");
  try {
    return std::shared_ptr<const ClipTokenizer>(new ClipTokenizer(merges));
  } catch (const std::invalid_argument& error) {
    throw damaged(vocabulary, error.what());
  }
}

std::shared_ptr<const ClipTokenizer> ClipTokenizer::read(std::string_view text, const std::string& where) {
  constexpr const char* kGetAgain = "\n  Get the checkpoint again from where it came from.";
  if (text.size() > kLargestVocabulary) throw damaged(where, "far too large", kGetAgain);
  if (!text.ends_with('\n')) throw damaged(where, "its last line is cut short", kGetAgain);
  try {
    return std::shared_ptr<const ClipTokenizer>(new ClipTokenizer(merge_lines(text, kLargestVocabulary)));
  } catch (const std::invalid_argument& error) {
    throw damaged(where, error.what(), kGetAgain);
  }
}

std::vector<int> ClipTokenizer::encode(std::string_view text) const {
  if (text.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max() / 4)) {
    throw Error("prompt_too_long", "a prompt of " + std::to_string(text.size()) + " bytes is too long");
  }
  std::vector<int> ids;
  for (const std::string& word : tables_->words.split(text)) {
    if (word == kStartOfText) {
      ids.push_back(start());
    } else if (word == kEndOfText) {
      ids.push_back(end());
    } else {
      tables_->merges.encode(word, ids);
    }
  }
  return ids;
}

}  // namespace refrain::diffusion
