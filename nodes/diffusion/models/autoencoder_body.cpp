#include "models/autoencoder_body.hpp"

#include "ops/packed.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <refrain/diffusion/error.hpp>

#include <cstdint>
#include <sstream>
#include <string>
#include <utility>

namespace refrain::diffusion {
namespace {

constexpr double kNormEps = 1e-6;
constexpr int kPictureChannels = 3;

int level_count(const AutoencoderConfig& config) { return static_cast<int>(config.channel_mult.size()); }
int width_at(const AutoencoderConfig& config, int level) { return config.channels * config.channel_mult[level]; }
int deepest_width(const AutoencoderConfig& config) { return width_at(config, level_count(config) - 1); }

template <class Function>
at::Tensor for_each_sample(const at::Tensor& input, const Placement& placement, const Function& function) {
  const at::NoGradGuard no_grad;
  const packed::Workspace workspace;
  std::vector<at::Tensor> results;
  for (std::int64_t n = 0; n < input.size(0); ++n) {
    const at::Tensor sample = input.narrow(0, n, 1).to(placement.device, placement.dtype);
    results.push_back(function(sample.contiguous(at::MemoryFormat::ChannelsLast)).to(at::kFloat).contiguous());
  }
  return results.size() == 1 ? results.front() : at::cat(results);
}

}  // namespace

AutoencoderEncoder::AutoencoderEncoder(const Weights& weights, const AutoencoderConfig& config, int outputs)
    : conv_in_(weights / "conv_in", kPictureChannels, config.channels),
      middle_(weights / "mid", deepest_width(config)),
      norm_out_(weights / "norm_out", deepest_width(config), kNormEps),
      conv_out_(weights / "conv_out", deepest_width(config), outputs) {
  int width = config.channels;
  for (int i = 0; i < level_count(config); ++i) {
    const bool last = i + 1 == level_count(config);
    levels_.emplace_back(weights / "down" / i, AutoencoderLevel::Sizes{width, width_at(config, i), config.res_blocks},
                         last ? AutoencoderLevel::Way::stay : AutoencoderLevel::Way::down);
    width = width_at(config, i);
  }
}

at::Tensor AutoencoderEncoder::operator()(const at::Tensor& pixels) const {
  at::Tensor h = conv_in_(pixels);
  for (const AutoencoderLevel& level : levels_) h = level(std::move(h));
  return conv_out_(norm_out_.silu(middle_(h)));
}

AutoencoderDecoder::AutoencoderDecoder(const Weights& weights, const AutoencoderConfig& config)
    : conv_in_(weights / "conv_in", config.latent_channels, deepest_width(config)),
      middle_(weights / "mid", deepest_width(config)),
      norm_out_(weights / "norm_out", width_at(config, 0), kNormEps),
      conv_out_(weights / "conv_out", width_at(config, 0), kPictureChannels) {
  int width = deepest_width(config);
  for (int i = level_count(config) - 1; i >= 0; --i) {  // the deepest level has the highest number and runs first
    levels_.emplace_back(weights / "up" / i, AutoencoderLevel::Sizes{width, width_at(config, i), config.res_blocks + 1},
                         i == 0 ? AutoencoderLevel::Way::stay : AutoencoderLevel::Way::up);
    width = width_at(config, i);
  }
}

at::Tensor AutoencoderDecoder::operator()(const at::Tensor& latent) const {
  at::Tensor h = middle_(conv_in_(latent));
  for (const AutoencoderLevel& level : levels_) h = level(std::move(h));
  return conv_out_(norm_out_.silu(h));
}

AutoencoderBody::AutoencoderBody(const AutoencoderConfig& config, const Weights& weights, int moments)
    : config_(config),
      placement_(weights.placement()),
      encoder_(weights / "encoder", config, moments * config.latent_channels),
      quant_conv_(weights / "quant_conv", moments * config.latent_channels, moments * config.embed_channels,
                  kPointwise),
      post_quant_conv_(weights / "post_quant_conv", config.embed_channels, config.latent_channels, kPointwise),
      decoder_(weights / "decoder", config) {}

int AutoencoderBody::downscale() const { return 1 << (level_count(config_) - 1); }

at::Tensor AutoencoderBody::encode(const at::Tensor& pixels) const {
  check_autoencoder_input("the picture", pixels, kPictureChannels);
  if (pixels.size(2) % downscale() != 0 || pixels.size(3) % downscale() != 0) {
    throw ShapeError("autoencoder_input", "autoencoder: the picture's sides must be multiples of " +
                                              std::to_string(downscale()) + ", not " + std::to_string(pixels.size(2)) +
                                              " and " + std::to_string(pixels.size(3)));
  }
  return for_each_sample(pixels, placement_, [&](const at::Tensor& sample) { return quant_conv_(encoder_(sample)); });
}

at::Tensor AutoencoderBody::decode(const at::Tensor& latent) const {
  check_autoencoder_input("the latent", latent, config_.embed_channels);
  return for_each_sample(latent, placement_,
                         [&](const at::Tensor& sample) { return decoder_(post_quant_conv_(sample)); });
}

void check_autoencoder_input(const char* what, const at::Tensor& tensor, int channels) {
  if (tensor.dim() == 4 && tensor.size(1) == channels && tensor.numel() > 0) return;
  std::ostringstream message;
  message << "autoencoder: " << what << " must be of [N, " << channels << ", height, width], not " << tensor.sizes();
  throw ShapeError("autoencoder_input", message.str());
}

}  // namespace refrain::diffusion
