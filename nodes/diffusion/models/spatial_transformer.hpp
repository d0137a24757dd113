#pragma once
// Attention over the places of a latent, and from each place to the text.
// High-Resolution Image Synthesis with Latent Diffusion Models. Rombach et al. CVPR 2022, arXiv:2112.10752,
// section 3.3; CompVis stable-diffusion, ldm/modules/attention.py. Letters: N batch, C channels, h w sides, L = h w
// places, T text tokens, D width of a token.

#include "ops/geglu.hpp"
#include "ops/linear.hpp"
#include "ops/norm.hpp"

#include <vector>

namespace refrain::diffusion {

/// Sizes of a transformer. context_width 0: there is no text, the second attention looks at the places too.
struct TransformerSizes {
  int width = 0;
  int heads = 1;
  int context_width = 0;
  int depth = 1;
};

/// Queries from x, keys and values from a context: to_out(attention(to_q x, to_k c, to_v c)).
class CrossAttention {
 public:
  CrossAttention(const Weights& weights, int width, int context_width, int heads);

  /// x [N, L, C], context [N, T, D] -> residual + attention, [N, L, C].
  // The keys and values of the text are the same at every step of a run: they would be kept here.
  at::Tensor add(const at::Tensor& x, const at::Tensor& context, const at::Tensor& residual) const;

 private:
  Linear to_q_;
  Linear to_k_;
  Linear to_v_;
  Linear to_out_;
  int heads_;
};

/// x += attn1(LN x); x += attn2(LN x, context); x += ff(LN x).
class TransformerBlock {
 public:
  TransformerBlock(const Weights& weights, const TransformerSizes& sizes);

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context) const;  ///< [N, L, C] -> [N, L, C]

 private:
  LayerNorm norm1_;
  CrossAttention self_;
  LayerNorm norm2_;
  CrossAttention cross_;
  LayerNorm norm3_;
  Geglu feed_in_;
  Linear feed_out_;
  bool has_context_;
};

/// GroupNorm, proj_in, blocks on the places as tokens, proj_out, + x.
class SpatialTransformer {
 public:
  SpatialTransformer(const Weights& weights, const TransformerSizes& sizes);

  at::Tensor operator()(const at::Tensor& x, const at::Tensor& context) const;  ///< [N, C, h, w] -> [N, C, h, w]

 private:
  GroupNorm norm_;
  Linear project_in_;
  std::vector<TransformerBlock> blocks_;
  Linear project_out_;
};

}  // namespace refrain::diffusion
