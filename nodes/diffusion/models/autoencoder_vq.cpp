// The autoencoder of LDM-4-G: Rombach et al. CVPR 2022, arXiv:2112.10752, section 3.1, "VQ-reg.";
// CompVis latent-diffusion, ldm/models/autoencoder.py (VQModelInterface).
// Letters: N batch, h w latent sides, z latent channels, K entries of the codebook, P = h w places.

#include <refrain/diffusion/autoencoder.hpp>

#include "models/autoencoder_body.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/sub.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace refrain::diffusion {
namespace {

constexpr int kMoments = 1;
constexpr std::int64_t kPlacesAtOnce = 1024;  // distances of so many places: 32 MB for 8192 entries

}  // namespace

at::Tensor quantise(const at::Tensor& z, const at::Tensor& codebook) {
  const at::NoGradGuard no_grad;
  const at::Tensor places = z.permute({0, 2, 3, 1}).contiguous().view({-1, z.size(1)});  // [N P, z]
  const at::Tensor entry_squares = codebook.pow(2).sum(1);                               // [K]
  const at::Tensor transposed = codebook.t();
  std::vector<at::Tensor> nearest;
  for (std::int64_t first = 0; first < places.size(0); first += kPlacesAtOnce) {
    const at::Tensor some = places.narrow(0, first, std::min(kPlacesAtOnce, places.size(0) - first));
    const at::Tensor squares = some.pow(2).sum(1, /*keepdim=*/true) + entry_squares;  // [p, K]
    nearest.push_back(at::sub(squares, at::mm(some, transposed), 2).argmin(1));
  }
  const at::Tensor entries = codebook.index_select(0, at::cat(nearest));
  const at::Tensor moved = places + (entries - places);
  return moved.view({z.size(0), z.size(2), z.size(3), z.size(1)}).permute({0, 3, 1, 2}).contiguous();
}

struct AutoencoderVQ::Parts {
  AutoencoderBody body;
  at::Tensor codebook;  ///< [K, e] float32: neighbours are near each other
};

AutoencoderVQ::AutoencoderVQ(const AutoencoderConfig& config, const Weights& weights)
    : parts_(std::make_unique<Parts>(
          Parts{AutoencoderBody(config, weights, kMoments), (weights / "quantize" / "embedding")
                                                                .raw("weight", {config.codebook, config.embed_channels})
                                                                .to(weights.placement().device, at::kFloat)})) {}
AutoencoderVQ::~AutoencoderVQ() = default;

const AutoencoderConfig& AutoencoderVQ::config() const { return parts_->body.config(); }
int AutoencoderVQ::downscale() const { return parts_->body.downscale(); }
at::Tensor AutoencoderVQ::encode(const at::Tensor& pixels) const { return parts_->body.encode(pixels); }
at::Tensor AutoencoderVQ::decode(const at::Tensor& latent) const {
  check_autoencoder_input("the latent", latent, config().embed_channels);
  return parts_->body.decode(quantise(latent.to(parts_->codebook.device(), at::kFloat), parts_->codebook));
}

}  // namespace refrain::diffusion
