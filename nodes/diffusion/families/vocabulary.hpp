#pragma once
// Which vocabulary a checkpoint's text encoder was trained with.

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/text.hpp>
#include <refrain/diffusion/weights.hpp>

#include <memory>

namespace refrain::diffusion {

/// A tensor of bytes (uint8, one dimension): the text that ClipTokenizer::read takes.
inline constexpr const char* kVocabularyTensor = "cond_stage_model.tokenizer.vocabulary";

/// The tokenizer for a text encoder of `tokens` ids: the vocabulary that the file carries, else CLIP's own, which is
/// looked for only then. Throws ModelError: the vocabulary is missing or damaged ("vocabulary_missing",
/// "vocabulary_damaged"), or is not that of the encoder ("model_config").
std::shared_ptr<const ClipTokenizer> open_tokenizer(const WeightSource& source, int tokens, const LoadOptions& options);

}  // namespace refrain::diffusion
