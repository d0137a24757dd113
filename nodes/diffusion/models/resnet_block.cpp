#include "models/resnet_block.hpp"

namespace refrain::diffusion {

ResnetBlock::ResnetBlock(const Weights& weights, const ResnetStyle& style, int in, int out, int embedding_width)
    : norm1_(weights / style.norm1, in, style.eps),
      conv1_(weights / style.conv1, in, out),
      norm2_(weights / style.norm2, out, style.eps),
      conv2_(weights / style.conv2, out, out) {
  if (embedding_width > 0) embedding_.emplace(weights / style.embedding, embedding_width, out);
  if (in != out) shortcut_.emplace(weights / style.shortcut, in, out, kPointwise);
}

at::Tensor ResnetBlock::operator()(const at::Tensor& x, const at::Tensor& silu_of_embedding) const {
  at::Tensor h = conv1_(norm1_.silu(x));                                                 // [N, O, h, w]
  if (embedding_) h.add_((*embedding_)(silu_of_embedding).unsqueeze(-1).unsqueeze(-1));  // + [N, O, 1, 1]
  return conv2_.add(norm2_.silu(h), shortcut_ ? (*shortcut_)(x) : x);
}

}  // namespace refrain::diffusion
