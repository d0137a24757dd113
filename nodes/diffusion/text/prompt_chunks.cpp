// A prompt as chunks of 77 tokens, the length that CLIP's text encoder was trained on.

#include <ATen/ops/unbind.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/text.hpp>

#include <span>
#include <string>
#include <utility>

namespace refrain::diffusion {

namespace {

constexpr std::size_t kChunk = 77;
constexpr std::size_t kLongGroup = 8;  // tokens: from here on a group is cut where a chunk ends, not moved to the next

class ChunkWriter {
 public:
  ChunkWriter(int start, int end) : start_{start, 1.0F, {}}, end_{end, 1.0F, {}} { open(); }

  void write(std::span<const WeightedToken> group) {
    const bool may_be_cut = group.size() >= kLongGroup;
    while (!group.empty()) {
      const std::size_t room = kChunk - 1 - chunks_.back().size();
      std::size_t taken = group.size();
      if (taken > room) taken = may_be_cut ? room : 0;
      for (const WeightedToken& token : group.first(taken)) chunks_.back().push_back(token);
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

constexpr std::string_view kMark = "embedding:";

/// A segment cut where a textual inversion's mark stands behind a space or a line break, which goes; empty pieces, too.
std::vector<std::string> cut_at_marks(std::string_view segment) {
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    if (end > begin) pieces.emplace_back(segment.substr(begin, end - begin));
  };
  for (std::size_t at = segment.find(kMark); at != segment.npos; at = segment.find(kMark, at + kMark.size())) {
    if (at == 0 || (segment[at - 1] != ' ' && segment[at - 1] != '\n')) continue;
    add(at - 1);
    begin = at;
  }
  add(segment.size());
  return pieces;
}

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The first word, and the others with single spaces between them.
std::pair<std::string, std::string> first_word(std::string_view text) {
  std::string first, others;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && !is_space(text[end])) ++end;
    if (end > at) {
      std::string& target = first.empty() ? first : others;
      if (!target.empty()) target += ' ';
      target += text.substr(at, end - at);
    }
    at = end + 1;
  }
  return {first, others};
}

struct FoundInversion {
  at::Tensor vectors;    // [V, D]
  std::string leftover;  // what is to be read as words
};

/// `piece` begins with the mark.
FoundInversion find_inversion(std::string_view piece, const FindInversion& find) {
  auto [name, leftover] = first_word(piece.substr(kMark.size()));
  at::Tensor vectors = find && !name.empty() ? find(name) : at::Tensor();
  if (!vectors.defined()) {
    // Commas around a name are punctuation.
    const std::size_t first = name.find_first_not_of(','), last = name.find_last_not_of(',');
    const std::string stripped = first == name.npos ? "" : name.substr(first, last - first + 1);
    if (find && !stripped.empty() && stripped.size() < name.size()) {
      vectors = find(stripped);
      leftover = name.substr(stripped.size()) + " " + leftover;
    }
  }
  if (!vectors.defined()) {
    throw Error("no_inversion",
                "the prompt uses the textual inversion \"embedding:" + name.substr(0, 100) +
                    "\", and there is no such file: put it into the folder models/embeddings, or take it "
                    "out of the prompt");
  }
  return {vectors.dim() == 1 ? vectors.unsqueeze(0) : vectors, leftover};
}

}  // namespace

std::vector<std::vector<WeightedToken>> tokenize_prompt(const ClipTokenizer& tokenizer, std::string_view prompt,
                                                        const FindInversion& find) {
  ChunkWriter chunks(tokenizer.start(), tokenizer.end());
  for (const auto& [segment, weight] : parse_emphasis(prompt)) {
    for (std::string piece : cut_at_marks(segment)) {
      if (piece.starts_with(kMark)) {
        FoundInversion found = find_inversion(piece, find);
        std::vector<WeightedToken> group;
        for (const at::Tensor& vector : found.vectors.unbind(0)) group.push_back({0, weight, vector});
        chunks.write(group);
        piece = std::move(found.leftover);
      }
      std::vector<WeightedToken> group;
      for (const int id : tokenizer.encode(piece)) group.push_back({id, weight, {}});
      chunks.write(group);
    }
  }
  return std::move(chunks).finish();
}

}  // namespace refrain::diffusion
