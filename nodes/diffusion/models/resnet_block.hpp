#pragma once
// The residual block of U-Net and autoencoder: skip(x) + conv2(SiLU(norm2(conv1(SiLU(norm1 x)) + Linear(SiLU e)))).
// CompVis stable-diffusion, ldm/modules/diffusionmodules/{openaimodel,model}.py; ermongroup ddim, models/diffusion.py.
// Letters: N batch, I O channels in and out, h w sides, E width of the time embedding.

#include "ops/conv2d.hpp"
#include "ops/linear.hpp"
#include "ops/norm.hpp"

#include <optional>

namespace refrain::diffusion {

/// What a file calls the parts of a block, and the epsilon of its norms.
struct ResnetStyle {
  const char* norm1;
  const char* conv1;
  const char* embedding;
  const char* norm2;
  const char* conv2;
  const char* shortcut;
  double eps;
};

inline constexpr ResnetStyle kUNetResnet{
    "in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3", "skip_connection", 1e-5};
inline constexpr ResnetStyle kDdpmResnet{"norm1", "conv1", "temb_proj", "norm2", "conv2", "nin_shortcut", 1e-6};
inline constexpr ResnetStyle kAutoencoderResnet{"norm1", "conv1", "", "norm2", "conv2", "nin_shortcut", 1e-6};

class ResnetBlock {
 public:
  /// embedding_width 0: a block without time embedding.
  ResnetBlock(const Weights& weights, const ResnetStyle& style, int in, int out, int embedding_width);

  /// x [N, I, h, w], silu_of_embedding [N, E] (SiLU already applied; undefined for a block without) -> [N, O, h, w].
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& silu_of_embedding) const;

 private:
  GroupNorm norm1_;
  Conv2d conv1_;
  std::optional<Linear> embedding_;
  GroupNorm norm2_;
  Conv2d conv2_;
  std::optional<Conv2d> shortcut_;  // where the width changes
};

}  // namespace refrain::diffusion
