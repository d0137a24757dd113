#pragma once
// The convolutional autoencoder that KL and VQ share, without what they do to the latent.
// CompVis stable-diffusion, ldm/modules/diffusionmodules/model.py.
// Letters: N batch, H W picture sides, h w latent sides, z e channels of the latent inside and outside.

#include "models/autoencoder_blocks.hpp"

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/autoencoder.hpp>

#include <vector>

namespace refrain::diffusion {

class AutoencoderEncoder {
 public:
  AutoencoderEncoder(const Weights& weights, const AutoencoderConfig& config, int outputs);
  at::Tensor operator()(const at::Tensor& pixels) const;  ///< [N, 3, H, W] -> [N, outputs, h, w]

 private:
  Conv2d conv_in_;
  std::vector<AutoencoderLevel> levels_;
  AutoencoderMiddle middle_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
};

class AutoencoderDecoder {
 public:
  AutoencoderDecoder(const Weights& weights, const AutoencoderConfig& config);
  at::Tensor operator()(const at::Tensor& latent) const;  ///< [N, z, h, w] -> [N, 3, H, W]

 private:
  Conv2d conv_in_;
  AutoencoderMiddle middle_;
  std::vector<AutoencoderLevel> levels_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
};

/// Encoder and decoder with the 1x1 convolutions between them. Works sample by sample: the tensors of one large picture
/// are hundreds of megabytes.
class AutoencoderBody {
 public:
  /// `moments`: channels that the encoder gives for each of the latent's; 2 for a mean and a variance.
  AutoencoderBody(const AutoencoderConfig& config, const Weights& weights, int moments);

  const AutoencoderConfig& config() const { return config_; }
  int downscale() const;
  at::Tensor encode(const at::Tensor& pixels) const;  ///< [N, 3, H, W] -> [N, moments e, h, w] float32
  at::Tensor decode(const at::Tensor& latent) const;  ///< [N, e, h, w] -> [N, 3, H, W] float32

 private:
  AutoencoderConfig config_;
  Placement placement_;
  AutoencoderEncoder encoder_;
  Conv2d quant_conv_;
  Conv2d post_quant_conv_;
  AutoencoderDecoder decoder_;
};

/// Throws ShapeError "autoencoder_input" unless the tensor is [N, channels, height, width] and not empty.
void check_autoencoder_input(const char* what, const at::Tensor& tensor, int channels);

}  // namespace refrain::diffusion
