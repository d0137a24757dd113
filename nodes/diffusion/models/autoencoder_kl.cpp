// The autoencoder between pictures and latents: Rombach et al. CVPR 2022, arXiv:2112.10752, section 3.1;
// CompVis stable-diffusion, ldm/modules/diffusionmodules/model.py.
// Letters: N batch, C channels, H W picture sides, h w latent sides, z latent channels.

#include <refrain/diffusion/autoencoder.hpp>

#include "models/autoencoder_blocks.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <refrain/diffusion/error.hpp>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

constexpr double kNormEps = 1e-6;
constexpr int kPictureChannels = 3;

int level_count(const AutoencoderConfig& config) { return static_cast<int>(config.channel_mult.size()); }
int width_at(const AutoencoderConfig& config, int level) { return config.channels * config.channel_mult[level]; }

class Encoder {
 public:
  Encoder(const Weights& weights, const AutoencoderConfig& config)
      : conv_in_(weights / "conv_in", kPictureChannels, config.channels),
        middle_(weights / "mid", width_at(config, level_count(config) - 1)),
        norm_out_(weights / "norm_out", width_at(config, level_count(config) - 1), kNormEps),
        conv_out_(weights / "conv_out", width_at(config, level_count(config) - 1), 2 * config.latent_channels) {
    int width = config.channels;
    for (int i = 0; i < level_count(config); ++i) {
      const bool last = i + 1 == level_count(config);
      levels_.emplace_back(weights / "down" / i, AutoencoderLevel::Sizes{width, width_at(config, i), config.res_blocks},
                           last ? AutoencoderLevel::Way::stay : AutoencoderLevel::Way::down);
      width = width_at(config, i);
    }
  }

  at::Tensor operator()(const at::Tensor& pixels) const {  // [N, 3, H, W] -> [N, 2 z, h, w]
    at::Tensor h = conv_in_(pixels);
    for (const AutoencoderLevel& level : levels_) h = level(std::move(h));
    return conv_out_(norm_out_.silu(middle_(h)));
  }

 private:
  Conv2d conv_in_;
  std::vector<AutoencoderLevel> levels_;
  AutoencoderMiddle middle_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
};

class Decoder {
 public:
  Decoder(const Weights& weights, const AutoencoderConfig& config)
      : conv_in_(weights / "conv_in", config.latent_channels, width_at(config, level_count(config) - 1)),
        middle_(weights / "mid", width_at(config, level_count(config) - 1)),
        norm_out_(weights / "norm_out", width_at(config, 0), kNormEps),
        conv_out_(weights / "conv_out", width_at(config, 0), kPictureChannels) {
    int width = width_at(config, level_count(config) - 1);
    for (int i = level_count(config) - 1; i >= 0; --i) {  // "up.3" runs first
      levels_.emplace_back(weights / "up" / i,
                           AutoencoderLevel::Sizes{width, width_at(config, i), config.res_blocks + 1},
                           i == 0 ? AutoencoderLevel::Way::stay : AutoencoderLevel::Way::up);
      width = width_at(config, i);
    }
  }

  at::Tensor operator()(const at::Tensor& latent) const {  // [N, z, h, w] -> [N, 3, H, W]
    at::Tensor h = middle_(conv_in_(latent));
    for (const AutoencoderLevel& level : levels_) h = level(std::move(h));
    return conv_out_(norm_out_.silu(h));
  }

 private:
  Conv2d conv_in_;
  AutoencoderMiddle middle_;
  std::vector<AutoencoderLevel> levels_;
  GroupNorm norm_out_;
  Conv2d conv_out_;
};

void check_channels(const char* what, const at::Tensor& tensor, int channels) {
  if (tensor.dim() == 4 && tensor.size(1) == channels && tensor.numel() > 0) return;
  std::ostringstream message;
  message << "autoencoder: " << what << " must be of [N, " << channels << ", height, width], not " << tensor.sizes();
  throw ShapeError("autoencoder_input", message.str());
}

}  // namespace

struct AutoencoderKL::Parts {
  Parts(const AutoencoderConfig& autoencoder_config, const Weights& weights)
      : config(autoencoder_config),
        placement(weights.placement()),
        encoder(weights / "encoder", config),
        quant_conv(weights / "quant_conv", 2 * config.latent_channels, 2 * config.embed_channels, kPointwise),
        post_quant_conv(weights / "post_quant_conv", config.embed_channels, config.latent_channels, kPointwise),
        decoder(weights / "decoder", config) {}

  /// Sample by sample: the tensors of one large picture are hundreds of megabytes.
  template <class Function>
  at::Tensor for_each_sample(const at::Tensor& input, const Function& function) const {
    const at::NoGradGuard no_grad;
    std::vector<at::Tensor> results;
    for (std::int64_t n = 0; n < input.size(0); ++n) {
      const at::Tensor sample = input.narrow(0, n, 1).to(placement.device, placement.dtype);
      results.push_back(function(sample.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kFloat).contiguous());
    }
    return results.size() == 1 ? results.front() : at::cat(results);
  }

  AutoencoderConfig config;
  Placement placement;
  Encoder encoder;
  Conv2d quant_conv;
  Conv2d post_quant_conv;
  Decoder decoder;
};

AutoencoderKL::AutoencoderKL(const AutoencoderConfig& config, const Weights& weights)
    : parts_(std::make_unique<Parts>(config, weights)) {}
AutoencoderKL::~AutoencoderKL() = default;

const AutoencoderConfig& AutoencoderKL::config() const { return parts_->config; }
int AutoencoderKL::downscale() const { return 1 << (level_count(parts_->config) - 1); }

at::Tensor AutoencoderKL::decode(const at::Tensor& latent) const {
  check_channels("the latent", latent, parts_->config.embed_channels);
  return parts_->for_each_sample(
      latent, [&](const at::Tensor& sample) { return parts_->decoder(parts_->post_quant_conv(sample)); });
}

at::Tensor AutoencoderKL::encode(const at::Tensor& pixels) const {
  check_channels("the picture", pixels, kPictureChannels);
  if (pixels.size(2) % downscale() != 0 || pixels.size(3) % downscale() != 0) {
    throw ShapeError("autoencoder_input", "autoencoder: the picture's sides must be multiples of " +
                                              std::to_string(downscale()) + ", not " + std::to_string(pixels.size(2)) +
                                              " and " + std::to_string(pixels.size(3)));
  }
  return parts_->for_each_sample(pixels, [&](const at::Tensor& sample) {
    return parts_->quant_conv(parts_->encoder(sample)).narrow(1, 0, parts_->config.embed_channels);
  });
}

}  // namespace refrain::diffusion
