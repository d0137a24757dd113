#include "families/ldm_sizes.hpp"

#include "families/metadata.hpp"
#include "families/shapes.hpp"

#include <string>

namespace refrain::diffusion {
namespace {

constexpr int kMostBlocks = 64;

int ratio(const Shapes& shapes, int value, int unit, const std::string& name) {
  if (unit < 1 || value % unit != 0) shapes.fail(name, "isn't a multiple of the model's base width");
  return value / unit;
}

}  // namespace

// The encoder tells it all: a level ends with a downsample, a block's width is that of its second convolution.
UNetConfig read_ldm_unet(const WeightSource& source, int heads) {
  const Shapes shapes(source, std::string(kUNetPrefix) + ".");
  UNetConfig config;
  config.model_channels = shapes.size("input_blocks.0.0.weight", 0);
  config.in_channels = shapes.size("input_blocks.0.0.weight", 1);
  config.out_channels = shapes.size("out.2.weight", 0);
  config.channel_mult.clear();
  config.transformer_depth.clear();
  int blocks = 0;
  for (int n = 1; n < kMostBlocks; ++n) {
    const std::string block = "input_blocks." + std::to_string(n);
    if (shapes.has(block + ".0.op.weight")) {
      blocks = 0;
      continue;
    }
    const std::string width = block + ".0.out_layers.3.weight";
    if (!shapes.has(width)) break;
    if (++blocks > 1) continue;
    config.channel_mult.push_back(ratio(shapes, shapes.size(width, 0), config.model_channels, width));
    config.transformer_depth.push_back(shapes.count(block + ".1.transformer_blocks", ".norm1.weight"));
  }
  if (config.channel_mult.empty()) shapes.fail("input_blocks.1.0.out_layers.3.weight", "is missing");
  config.res_blocks = blocks;
  config.middle_transformer_depth = shapes.count("middle_block.1.transformer_blocks", ".norm1.weight");
  config.context_dim = shapes.size("middle_block.1.transformer_blocks.0.attn2.to_k.weight", 1);
  config.heads = number_in_metadata(source, "refrain.unet.heads").value_or(heads);
  config.head_channels = number_in_metadata(source, "refrain.unet.head_channels").value_or(0);
  return config;
}

AutoencoderConfig read_ldm_autoencoder(const WeightSource& source) {
  const Shapes shapes(source, std::string(kAutoencoderPrefix) + ".");
  AutoencoderConfig config;
  config.channels = shapes.size("encoder.conv_in.weight", 0);
  config.channel_mult.clear();
  const int levels = shapes.count("encoder.down", ".block.0.conv1.weight");
  if (levels == 0) shapes.fail("encoder.down.0.block.0.conv1.weight", "is missing");
  for (int level = 0; level < levels; ++level) {
    const std::string width = "encoder.down." + std::to_string(level) + ".block.0.conv1.weight";
    config.channel_mult.push_back(ratio(shapes, shapes.size(width, 0), config.channels, width));
  }
  config.res_blocks = shapes.count("encoder.down.0.block", ".conv1.weight");
  config.latent_channels = shapes.size("post_quant_conv.weight", 0);
  config.embed_channels = shapes.size("post_quant_conv.weight", 1);
  return config;
}

}  // namespace refrain::diffusion
