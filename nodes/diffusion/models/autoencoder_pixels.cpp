#include <refrain/diffusion/autoencoder.hpp>

#include "models/autoencoder_body.hpp"

namespace refrain::diffusion {

PixelAutoencoder::PixelAutoencoder(int channels) {
  config_.channels = channels;
  config_.channel_mult = {1};
  config_.res_blocks = 0;
  config_.latent_channels = channels;
  config_.embed_channels = channels;
}

at::Tensor PixelAutoencoder::decode(const at::Tensor& latent) const {
  check_autoencoder_input("the picture", latent, config_.embed_channels);
  return latent.to(at::kFloat);
}

at::Tensor PixelAutoencoder::encode(const at::Tensor& pixels) const {
  check_autoencoder_input("the picture", pixels, config_.embed_channels);
  return pixels.to(at::kFloat);
}

}  // namespace refrain::diffusion
