#pragma once
// Between pictures and latents. Rombach et al. CVPR 2022, arXiv:2112.10752, section 3.1.
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
  int latent_channels = 4;  ///< z
  int embed_channels = 4;   ///< of the latents that travel: quant_conv gives them, post_quant_conv takes them
  int codebook = 0;         ///< entries of the codebook, for AutoencoderVQ
};

/// What a VAE edge carries. Immutable; any thread may call it.
class Autoencoder {
 public:
  virtual ~Autoencoder();
  virtual const AutoencoderConfig& config() const = 0;
  virtual int downscale() const = 0;  ///< picture side over latent side: 8 for SD, 4 for LDM-4-G, 1 for pixels
  /// latent [N, embed_channels, h, w], unscaled -> pixels [N, 3, H, W] float32 in about -1..1. Runs sample by sample
  /// where memory is short. Throws ShapeError.
  virtual at::Tensor decode(const at::Tensor& latent) const = 0;
  /// pixels [N, 3, H, W] in -1..1 -> latent [N, embed_channels, h, w] float32. Throws ShapeError.
  virtual at::Tensor encode(const at::Tensor& pixels) const = 0;
};

/// The KL autoencoder of SD (f8, 4 channels). encode() gives the mean of the posterior.
class AutoencoderKL final : public Autoencoder {
 public:
  AutoencoderKL(const AutoencoderConfig& config, const Weights& weights);
  ~AutoencoderKL() override;

  const AutoencoderConfig& config() const override;
  int downscale() const override;
  at::Tensor decode(const at::Tensor& latent) const override;
  at::Tensor encode(const at::Tensor& pixels) const override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The autoencoder of LDM-4-G (f4, 3 channels), with a codebook. decode() moves every place to the nearest entry first;
/// encode() does not. Neural Discrete Representation Learning. van den Oord et al. NeurIPS 2017, arXiv:1711.00937,
/// eq. 1; CompVis latent-diffusion, ldm/models/autoencoder.py (VQModelInterface).
class AutoencoderVQ final : public Autoencoder {
 public:
  AutoencoderVQ(const AutoencoderConfig& config, const Weights& weights);
  ~AutoencoderVQ() override;

  const AutoencoderConfig& config() const override;
  int downscale() const override;
  at::Tensor decode(const at::Tensor& latent) const override;
  at::Tensor encode(const at::Tensor& pixels) const override;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// For models that work on pixels: a latent is the picture itself.
class PixelAutoencoder final : public Autoencoder {
 public:
  explicit PixelAutoencoder(int channels = 3);

  const AutoencoderConfig& config() const override { return config_; }
  int downscale() const override { return 1; }
  at::Tensor decode(const at::Tensor& latent) const override;
  at::Tensor encode(const at::Tensor& pixels) const override;

 private:
  AutoencoderConfig config_;
};

/// The nearest entries of a codebook: z [N, z, h, w] float32, codebook [K, z] float32 -> z + (e_k - z), the same shape,
/// k = argmin |z|^2 + |e_k|^2 - 2 z e_k at every place. The sum is the reference's (taming, VectorQuantizer2), not e_k
/// to the bit.
at::Tensor quantise(const at::Tensor& z, const at::Tensor& codebook);

}  // namespace refrain::diffusion
