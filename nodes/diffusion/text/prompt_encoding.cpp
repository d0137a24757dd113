// Prompts as CLIP's hidden states, emphasis as a line through the empty prompt's. Follows comfy/sd1_clip.py.

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/where.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/text.hpp>

#include <algorithm>

namespace refrain::diffusion {

namespace {

using Chunks = std::vector<std::vector<WeightedToken>>;

bool has_emphasis(const Chunks& chunks) {
  return std::ranges::any_of(chunks, [](const auto& chunk) {
    return std::ranges::any_of(chunk, [](const WeightedToken& token) { return token.weight != 1.0F; });
  });
}

/// Start, end, and padding: what an empty prompt is.
std::vector<WeightedToken> empty_chunk(const ClipTokenizer& tokenizer, std::size_t length) {
  std::vector<WeightedToken> chunk(length, {tokenizer.end(), 1.0F, {}});
  chunk.front().id = tokenizer.start();
  return chunk;
}

/// [B, T] int64
at::Tensor ids_of(const Chunks& chunks) {
  const auto rows = static_cast<std::int64_t>(chunks.size());
  const auto columns = static_cast<std::int64_t>(chunks.front().size());
  at::Tensor ids = at::empty({rows, columns}, at::kLong);
  std::int64_t* id = ids.data_ptr<std::int64_t>();
  for (const auto& chunk : chunks) {
    for (const WeightedToken& token : chunk) *id++ = token.id;
  }
  return ids;
}

/// The vectors of textual inversions, with their places.
std::vector<InsertedVector> vectors_of(const Chunks& chunks) {
  std::vector<InsertedVector> found;
  for (std::size_t row = 0; row < chunks.size(); ++row) {
    for (std::size_t column = 0; column < chunks[row].size(); ++column) {
      const at::Tensor& vector = chunks[row][column].vector;
      if (vector.defined())
        found.push_back({static_cast<std::int64_t>(row), static_cast<std::int64_t>(column), vector});
    }
  }
  return found;
}

/// [B, T, 1] float32
at::Tensor weights_of(const Chunks& chunks) {
  const auto rows = static_cast<std::int64_t>(chunks.size());
  const auto columns = static_cast<std::int64_t>(chunks.front().size());
  at::Tensor weights = at::empty({rows, columns, 1}, at::kFloat);
  float* weight = weights.data_ptr<float>();
  for (const auto& chunk : chunks) {
    for (const WeightedToken& token : chunk) *weight++ = token.weight;
  }
  return weights;
}

/// hidden [B + 1, T, D], the empty prompt last -> [B, T, D]: z_empty + w * (z - z_empty), z itself where w is 1.
at::Tensor emphasised(const at::Tensor& hidden, const Chunks& chunks) {
  const auto count = static_cast<std::int64_t>(chunks.size());
  const at::Tensor z = hidden.narrow(0, 0, count);
  const at::Tensor z_empty = hidden.narrow(0, count, 1);
  const at::Tensor weights = weights_of(chunks);
  return at::where(weights != 1.0, (z - z_empty) * weights + z_empty, z);
}

/// hidden [B, T, D] -> [1, D]: the first chunk's state at its first end token.
at::Tensor pooled_of(const at::Tensor& hidden, const std::vector<WeightedToken>& chunk, int end) {
  const auto found = std::ranges::find(chunk, end, &WeightedToken::id);
  return hidden.select(0, 0).narrow(0, found - chunk.begin(), 1).clone();
}

}  // namespace

EncodedPrompt encode_prompt(const Clip& clip, std::string_view prompt, const FindInversion& find) {
  if (!clip.text_model || !clip.tokenizer) {
    throw ModelError("no_text_encoder", "this CLIP has no text encoder: load a checkpoint that holds one");
  }
  const Chunks chunks = tokenize_prompt(*clip.tokenizer, prompt, find);
  const bool emphasis = has_emphasis(chunks);
  Chunks batch = chunks;
  if (emphasis) batch.push_back(empty_chunk(*clip.tokenizer, chunks.front().size()));

  const bool is_there = -clip.last_layer <= clip.text_model->config().layers;
  const at::Tensor ids = ids_of(batch);
  const std::vector<InsertedVector> vectors = vectors_of(batch);
  const auto states_at = [&](int layer) {
    return clip.text_model->encode(ids, layer, vectors).to(at::kCPU, at::kFloat);
  };
  const at::Tensor hidden = states_at(is_there ? clip.last_layer : -1);
  const at::Tensor states = emphasis ? emphasised(hidden, chunks) : hidden;
  // The pooled output is always the last layer's.
  const at::Tensor last = is_there && clip.last_layer != -1 ? states_at(-1) : hidden;
  return {states.reshape({1, -1, states.size(2)}), pooled_of(last, chunks.front(), clip.tokenizer->end())};
}

}  // namespace refrain::diffusion
