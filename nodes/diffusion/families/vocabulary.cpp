#include "families/vocabulary.hpp"

#include <refrain/diffusion/error.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace refrain::diffusion {
namespace {

std::shared_ptr<const ClipTokenizer> read_own(const WeightSource& source, const TensorInfo& info) {
  const std::string where = source.name() + ": " + kVocabularyTensor;
  if (info.dtype != at::kByte || info.shape.size() != 1) {
    throw ModelError("vocabulary_damaged", where + " must be one row of bytes (uint8)");
  }
  const at::Tensor bytes = source.tensor(kVocabularyTensor).contiguous();
  return ClipTokenizer::read(
      {reinterpret_cast<const char*>(bytes.const_data_ptr<std::uint8_t>()), static_cast<std::size_t>(bytes.numel())},
      where);
}

}  // namespace

std::shared_ptr<const ClipTokenizer> open_tokenizer(const WeightSource& source, int tokens,
                                                    const LoadOptions& options) {
  const auto own = source.tensors().find(std::string_view(kVocabularyTensor));
  const bool has_own = own != source.tensors().end();
  const auto clips_own = [&] {
    const bool given = !options.vocabulary.empty() || !options.find_vocabulary;
    return ClipTokenizer::open(given ? options.vocabulary : options.find_vocabulary());
  };
  std::shared_ptr<const ClipTokenizer> tokenizer = has_own ? read_own(source, own->second) : clips_own();
  if (tokenizer->size() != tokens) {
    throw ModelError("model_config",
                     source.name() + ": the text encoder knows " + std::to_string(tokens) + " tokens, " +
                         (has_own ? "the vocabulary in the file" : "CLIP's vocabulary") + " has " +
                         std::to_string(tokenizer->size()) +
                         (has_own ? "; the file mixes two models"
                                  : std::string("; such a model must carry its vocabulary, in the tensor '") +
                                        kVocabularyTensor + "'"));
  }
  return tokenizer;
}

}  // namespace refrain::diffusion
