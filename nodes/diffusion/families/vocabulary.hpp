#pragma once
// Which vocabulary a checkpoint's text encoder was trained with.

#include <refrain/diffusion/text.hpp>
#include <refrain/diffusion/weights.hpp>

#include <filesystem>
#include <memory>

namespace refrain::diffusion {

/// A tensor of bytes (uint8, one dimension): the text that ClipTokenizer::read takes.
inline constexpr const char* kVocabularyTensor = "cond_stage_model.tokenizer.vocabulary";

/// The tokenizer for a text encoder of `tokens` ids: the vocabulary that the file carries, else CLIP's own, read from
/// `clip_vocabulary`. Throws ModelError: the vocabulary is missing or damaged ("vocabulary_missing",
/// "vocabulary_damaged"), or is not that of the encoder ("model_config").
std::shared_ptr<const ClipTokenizer> open_tokenizer(const WeightSource& source, int tokens,
                                                    const std::filesystem::path& clip_vocabulary);

}  // namespace refrain::diffusion
