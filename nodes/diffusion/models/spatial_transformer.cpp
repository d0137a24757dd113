#include "models/spatial_transformer.hpp"

#include "ops/attention.hpp"

namespace refrain::diffusion {
namespace {

constexpr double kNormEps = 1e-6;  // of the transformer's GroupNorm, unlike the resnets' 1e-5

int context_width(const TransformerSizes& sizes) { return sizes.context_width > 0 ? sizes.context_width : sizes.width; }

}  // namespace

CrossAttention::CrossAttention(const Weights& weights, int width, int context_width, int heads)
    : to_q_(weights / "to_q", width, width, Linear::Bias::no),
      to_k_(weights / "to_k", context_width, width, Linear::Bias::no),
      to_v_(weights / "to_v", context_width, width, Linear::Bias::no),
      to_out_(weights / "to_out" / 0, width, width),
      heads_(heads) {}

at::Tensor CrossAttention::add(const at::Tensor& x, const at::Tensor& context, const at::Tensor& residual) const {
  return to_out_.add(attention(to_q_(x), to_k_(context), to_v_(context), heads_), residual);
}

TransformerBlock::TransformerBlock(const Weights& weights, const TransformerSizes& sizes)
    : norm1_(weights / "norm1", sizes.width),
      self_(weights / "attn1", sizes.width, sizes.width, sizes.heads),
      norm2_(weights / "norm2", sizes.width),
      cross_(weights / "attn2", sizes.width, context_width(sizes), sizes.heads),
      norm3_(weights / "norm3", sizes.width),
      feed_in_(weights / "ff" / "net" / 0 / "proj", sizes.width, 4 * sizes.width),
      feed_out_(weights / "ff" / "net" / 2, 4 * sizes.width, sizes.width),
      has_context_(sizes.context_width > 0) {}

at::Tensor TransformerBlock::operator()(const at::Tensor& x, const at::Tensor& context) const {
  at::Tensor normed = norm1_(x);
  at::Tensor h = self_.add(normed, normed, x);
  normed = norm2_(h);
  h = cross_.add(normed, has_context_ ? context : normed, h);
  return feed_out_.add(feed_in_(norm3_(h)), h);
}

SpatialTransformer::SpatialTransformer(const Weights& weights, const TransformerSizes& sizes)
    : norm_(weights / "norm", sizes.width, kNormEps),
      project_in_(weights / "proj_in", sizes.width, sizes.width),
      project_out_(weights / "proj_out", sizes.width, sizes.width) {
  for (int i = 0; i < sizes.depth; ++i) blocks_.emplace_back(weights / "transformer_blocks" / i, sizes);
}

at::Tensor SpatialTransformer::operator()(const at::Tensor& x, const at::Tensor& context) const {
  // Channels-last, a latent is a list of places already: [N, C, h, w] -> [N, L, C] without a copy.
  const auto as_tokens = [](const at::Tensor& y) { return y.permute({0, 2, 3, 1}).flatten(1, 2); };
  at::Tensor tokens = project_in_(as_tokens(norm_(x)).contiguous());
  for (const TransformerBlock& block : blocks_) tokens = block(tokens, context);
  tokens = project_out_.add(tokens, as_tokens(x).contiguous());
  return tokens.view({x.size(0), x.size(2), x.size(3), x.size(1)}).permute({0, 3, 1, 2});
}

}  // namespace refrain::diffusion
