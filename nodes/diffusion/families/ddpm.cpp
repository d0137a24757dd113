#include "families/ddpm.hpp"

#include "families/ddpm_diffusers.hpp"
#include "families/metadata.hpp"
#include "families/shapes.hpp"

#include <refrain/diffusion/error.hpp>

#include <utility>
#include <vector>

namespace refrain::diffusion::ddpm {
namespace {

constexpr const char* kMark = "temb.dense.0.weight";
constexpr const char* kParallel = "module";
constexpr int kAttentionSide = 16;

std::string dotted(const std::string& prefix) { return prefix.empty() ? prefix : prefix + "."; }

std::string prefix_of(const WeightSource& source) {
  return source.tensors().contains(dotted(kParallel) + kMark) ? kParallel : "";
}

UNetConfig read_unet(const Shapes& shapes) {
  UNetConfig config;
  config.style = UNetStyle::ddpm;
  config.context_dim = 0;
  config.heads = 1;
  config.model_channels = shapes.size("conv_in.weight", 0);
  config.in_channels = shapes.size("conv_in.weight", 1);
  config.out_channels = shapes.size("conv_out.weight", 0);
  config.res_blocks = shapes.count("down.0.block", ".conv1.weight");
  config.channel_mult.clear();
  config.transformer_depth.clear();
  const int levels = shapes.count("down", ".block.0.conv1.weight");
  if (levels == 0) shapes.fail("down.0.block.0.conv1.weight", "is missing");
  for (int level = 0; level < levels; ++level) {
    const std::string down = "down." + std::to_string(level), width = down + ".block.0.conv1.weight";
    if (shapes.size(width, 0) % config.model_channels != 0) {
      shapes.fail(width, "isn't a multiple of the model's base width");
    }
    config.channel_mult.push_back(shapes.size(width, 0) / config.model_channels);
    config.transformer_depth.push_back(shapes.has(down + ".attn.0.norm.weight") ? 1 : 0);
  }
  return config;
}

int default_sample_size(const UNetConfig& config) {
  for (std::size_t level = 0; level < config.transformer_depth.size(); ++level) {
    if (config.transformer_depth[level] > 0) return kAttentionSide << level;
  }
  return kAttentionSide << (config.transformer_depth.size() - 1);  // only the middle has attention
}

}  // namespace

bool recognise(const WeightSource& source) {
  const bool ermongroup = source.tensors().contains(dotted(prefix_of(source)) + kMark);
  return ermongroup || has_diffusers_names(source);
}

Sizes read_sizes(const WeightSource& source) {
  Sizes sizes;
  sizes.prefix = prefix_of(source);
  sizes.unet = read_unet(Shapes(source, dotted(sizes.prefix)));
  sizes.sample_size = number_in_metadata(source, "refrain.unet.sample_size").value_or(default_sample_size(sizes.unet));
  return sizes;
}

Checkpoint load(const std::shared_ptr<const WeightSource>& file, const LoadOptions& options) {
  const auto source = has_diffusers_names(*file) ? with_ermongroup_names(file) : file;
  const Sizes sizes = read_sizes(*source);
  Model model;
  model.family = kFamily;
  model.unet = std::make_shared<const UNet>(sizes.unet, Weights(source, options.placement, sizes.prefix));
  model.noise_law = kNoiseLaw;
  model.schedule =
      std::make_shared<const NoiseSchedule>(NoiseSchedule::linear(kNoiseLaw.first, kNoiseLaw.last, kNoiseLaw.steps));
  model.placement = options.placement;
  model.latent_channels = sizes.unet.in_channels;
  model.latent_scale = 1;
  model.sample_size = sizes.sample_size;
  model.weight_bytes = bytes_below(*source, sizes.prefix, options.placement.dtype);
  Vae vae{std::make_shared<const PixelAutoencoder>(sizes.unet.in_channels), 0};
  return {std::make_shared<const Model>(std::move(model)), std::make_shared<const Clip>(),
          std::make_shared<const Vae>(std::move(vae))};
}

}  // namespace refrain::diffusion::ddpm
