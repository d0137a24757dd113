// The autoencoder of Stable Diffusion: Rombach et al. CVPR 2022, arXiv:2112.10752, section 3.1, "KL-reg.";
// CompVis stable-diffusion, ldm/models/autoencoder.py.

#include <refrain/diffusion/autoencoder.hpp>

#include "models/autoencoder_body.hpp"

namespace refrain::diffusion {
namespace {

constexpr int kMoments = 2;  // mean and logarithm of the variance

}  // namespace

Autoencoder::~Autoencoder() = default;

struct AutoencoderKL::Parts {
  AutoencoderBody body;
};

AutoencoderKL::AutoencoderKL(const AutoencoderConfig& config, const Weights& weights)
    : parts_(std::make_unique<Parts>(Parts{AutoencoderBody(config, weights, kMoments)})) {}
AutoencoderKL::~AutoencoderKL() = default;

const AutoencoderConfig& AutoencoderKL::config() const { return parts_->body.config(); }
int AutoencoderKL::downscale() const { return parts_->body.downscale(); }
at::Tensor AutoencoderKL::decode(const at::Tensor& latent) const { return parts_->body.decode(latent); }
at::Tensor AutoencoderKL::encode(const at::Tensor& pixels) const {
  return parts_->body.encode(pixels).narrow(1, 0, config().embed_channels).contiguous();
}

}  // namespace refrain::diffusion
