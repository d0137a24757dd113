// The text encoder of CLIP ViT-L/14: a causal transformer, pre-norm, quick_gelu.
// Learning Transferable Visual Models From Natural Language Supervision. Radford et al. ICML 2021, arXiv:2103.00020,
// section 2.4. Letters: B chunks, T tokens, D width.

#include <refrain/diffusion/clip_text.hpp>

#include "ops/attention.hpp"
#include "ops/linear.hpp"
#include "ops/norm.hpp"
#include "ops/packed.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/sigmoid.h>
#include <refrain/diffusion/error.hpp>

#include <cstdint>
#include <sstream>
#include <string>
#include <vector>

namespace refrain::diffusion {
namespace {

/// x * sigmoid(1.702 x): CLIP's approximation of gelu.
at::Tensor quick_gelu(at::Tensor x) { return x.mul_(at::sigmoid(x.mul(1.702))); }

/// x += attention(LN x); x += fc2(quick_gelu(fc1(LN x))).
class ClipLayer {
 public:
  ClipLayer(const Weights& weights, const ClipTextConfig& config)
      : norm1_(weights / "layer_norm1", config.width),
        q_(weights / "self_attn" / "q_proj", config.width, config.width),
        k_(weights / "self_attn" / "k_proj", config.width, config.width),
        v_(weights / "self_attn" / "v_proj", config.width, config.width),
        out_(weights / "self_attn" / "out_proj", config.width, config.width),
        norm2_(weights / "layer_norm2", config.width),
        fc1_(weights / "mlp" / "fc1", config.width, 4 * config.width),
        fc2_(weights / "mlp" / "fc2", 4 * config.width, config.width),
        heads_(config.heads) {}

  at::Tensor operator()(const at::Tensor& x) const {  // [B, T, D] -> [B, T, D]
    const at::Tensor normed = norm1_(x);
    const at::Tensor h = out_.add(attention(q_(normed), k_(normed), v_(normed), heads_, AttentionMask::causal), x);
    return fc2_.add(quick_gelu(fc1_(norm2_(h))), h);
  }

 private:
  LayerNorm norm1_;
  Linear q_, k_, v_, out_;
  LayerNorm norm2_;
  Linear fc1_, fc2_;
  int heads_;
};

/// Only the rows of a prompt are read: the table stays in the file as it is stored.
at::Tensor read_table(const Weights& weights, const ClipTextConfig& config) {
  return weights.form("weight", "as stored", [&] {
    return weights.raw("weight", {config.vocabulary, config.width}).to(weights.placement().device);
  });
}

void check(const ClipTextConfig& config) {
  if (config.heads < 1 || config.width % config.heads != 0) {
    throw ModelError("model_config", "text encoder: " + std::to_string(config.width) +
                                         " channels can't be split into " + std::to_string(config.heads) + " heads");
  }
}

}  // namespace

struct ClipTextModel::Parts {
  Parts(const ClipTextConfig& clip_config, const Weights& weights)
      : config(clip_config),
        placement(weights.placement()),
        tokens(read_table(weights / "embeddings" / "token_embedding", config)),
        positions((weights / "embeddings" / "position_embedding").keep("weight", {config.positions, config.width})),
        final_norm(weights / "final_layer_norm", config.width) {
    check(config);
    for (int i = 0; i < config.layers; ++i) layers.emplace_back(weights / "encoder" / "layers" / i, config);
  }

  ClipTextConfig config;
  Placement placement;
  at::Tensor tokens;
  at::Tensor positions;
  std::vector<ClipLayer> layers;
  LayerNorm final_norm;
};

ClipTextModel::ClipTextModel(const ClipTextConfig& config, const Weights& weights) {
  const packed::Workspace workspace;
  parts_ = std::make_unique<Parts>(config, weights);
}
ClipTextModel::~ClipTextModel() = default;

const ClipTextConfig& ClipTextModel::config() const { return parts_->config; }

at::Tensor ClipTextModel::encode(const at::Tensor& tokens, int layer, std::span<const InsertedVector> inserted) const {
  const at::NoGradGuard no_grad;
  const Parts& parts = *parts_;
  const ClipTextConfig& config = parts.config;
  if (tokens.dim() != 2 || tokens.numel() == 0 || tokens.size(1) > config.positions ||
      tokens.scalar_type() != at::kLong) {
    std::ostringstream message;
    message << "text encoder: tokens must be int64 of [B, up to " << config.positions << "], not " << tokens.sizes();
    throw ShapeError("clip_tokens", message.str());
  }
  if (tokens.min().item<std::int64_t>() < 0 || tokens.max().item<std::int64_t>() >= config.vocabulary) {
    throw ShapeError("clip_tokens",
                     "text encoder: a token is outside the vocabulary of " + std::to_string(config.vocabulary));
  }
  const int last = layer < 0 ? config.layers + layer : layer;
  if (last < 0 || last >= config.layers) {
    throw ShapeError("clip_layer", "text encoder: there is no layer " + std::to_string(layer) + " of " +
                                       std::to_string(config.layers));
  }
  at::Tensor x = at::embedding(parts.tokens, tokens.to(parts.placement.device)).to(parts.placement.dtype);
  for (const auto& [row, column, vector] : inserted) {
    if (vector.dim() != 1 || vector.size(0) != config.width) {
      std::ostringstream message;
      message << "text encoder: a textual inversion has vectors of " << vector.sizes() << " where this model has "
              << config.width << "; it belongs to another kind of model";
      throw ShapeError("inversion_width", message.str());
    }
    x.select(0, row).select(0, column).copy_(vector);
  }
  x = x.add(parts.positions.narrow(0, 0, tokens.size(1)));
  for (int i = 0; i <= last; ++i) x = parts.layers[i](x);
  return parts.final_norm(x).to(at::kFloat);
}

}  // namespace refrain::diffusion
