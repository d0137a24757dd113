// A prompt as chunks of 77 tokens, the length that CLIP's text encoder was trained on.

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/text.hpp>

#include <span>

namespace refrain::diffusion {

namespace {

constexpr std::size_t kChunk = 77;
constexpr std::size_t kLongGroup = 8;  // tokens: from here on a group is cut where a chunk ends, not moved to the next

class ChunkWriter {
 public:
  ChunkWriter(int start, int end) : start_{start, 1.0F}, end_{end, 1.0F} { open(); }

  void write(std::span<const int> group, float weight) {
    const bool may_be_cut = group.size() >= kLongGroup;
    while (!group.empty()) {
      const std::size_t room = kChunk - 1 - chunks_.back().size();
      std::size_t taken = group.size();
      if (taken > room) taken = may_be_cut ? room : 0;
      for (const int id : group.first(taken)) chunks_.back().push_back({id, weight});
      group = group.subspan(taken);
      if (!group.empty()) {
        close();
        open();
      }
    }
  }

  std::vector<std::vector<WeightedToken>> finish() && {
    close();
    return std::move(chunks_);
  }

 private:
  void open() { chunks_.push_back({start_}); }
  void close() { chunks_.back().resize(kChunk, end_); }  // SD 1 pads with the end token

  WeightedToken start_, end_;
  std::vector<std::vector<WeightedToken>> chunks_;
};

/// Refuses what would otherwise be encoded as ordinary words.
void refuse_textual_inversion(std::string_view segment) {
  constexpr std::string_view kMark = "embedding:";
  for (std::size_t at = segment.find(kMark); at != segment.npos; at = segment.find(kMark, at + 1)) {
    if (at != 0 && segment[at - 1] != ' ' && segment[at - 1] != '\n') continue;
    const std::string_view name = segment.substr(at, segment.find_first_of(" \n", at) - at);
    throw Error("textual_inversion_unsupported", "the prompt uses the textual inversion \"" +
                                                     std::string(name.substr(0, 100)) +
                                                     "\", which is not supported yet: take it out of the prompt");
  }
}

}  // namespace

std::vector<std::vector<WeightedToken>> tokenize_prompt(const ClipTokenizer& tokenizer, std::string_view prompt) {
  ChunkWriter chunks(tokenizer.start(), tokenizer.end());
  for (const auto& [segment, weight] : parse_emphasis(prompt)) {
    refuse_textual_inversion(segment);
    chunks.write(tokenizer.encode(segment), weight);
  }
  return std::move(chunks).finish();
}

}  // namespace refrain::diffusion
