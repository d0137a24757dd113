#pragma once
// The KL autoencoder of SD (f8, 4 channels). Rombach et al. CVPR 2022, arXiv:2112.10752.
// Letters: N batch, H W picture sides, h w latent sides, z latent channels.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

#include <memory>
#include <vector>

namespace refrain::diffusion {

struct AutoencoderConfig {
  int channels = 128;
  std::vector<int> channel_mult{1, 2, 4, 4};
  int res_blocks = 2;
  int latent_channels = 4;
  int embed_channels = 4;
};

class AutoencoderKL {
 public:
  AutoencoderKL(const AutoencoderConfig& config, const Weights& weights);
  ~AutoencoderKL();
  AutoencoderKL(const AutoencoderKL&) = delete;
  AutoencoderKL& operator=(const AutoencoderKL&) = delete;

  const AutoencoderConfig& config() const;
  int downscale() const;  ///< 8 for SD
  /// latent [N, z, h, w], unscaled -> pixels [N, 3, H, W] float32 in about -1..1. Runs sample by sample where memory is
  /// short.
  at::Tensor decode(const at::Tensor& latent) const;
  /// pixels [N, 3, H, W] in -1..1 -> mean of the posterior [N, z, h, w] float32.
  at::Tensor encode(const at::Tensor& pixels) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace refrain::diffusion
