#include "families/sd1.hpp"

#include "families/shapes.hpp"

#include <refrain/diffusion/error.hpp>

#include <charconv>
#include <optional>
#include <vector>

namespace refrain::diffusion::sd1 {
namespace {

constexpr const char* kClipPrefix = "cond_stage_model.transformer.text_model";
constexpr const char* kOldClipPrefix = "cond_stage_model.transformer";
constexpr int kUNetHeads = 8;
constexpr int kClipHeadWidth = 64;
constexpr int kMostBlocks = 64;

std::optional<int> number_in_metadata(const WeightSource& source, const std::string& key) {
  const auto place = source.metadata().find(key);
  if (place == source.metadata().end()) return std::nullopt;
  const std::string& text = place->second;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < 1) {
    throw ModelError("model_config",
                     source.name() + ": the metadata '" + key + "' must be a whole number above 0, not '" + text + "'");
  }
  return number;
}

int ratio(const Shapes& shapes, int value, int unit, const std::string& name) {
  if (unit < 1 || value % unit != 0) shapes.fail(name, "isn't a multiple of the model's base width");
  return value / unit;
}

/// The encoder tells it all: a level ends with a downsample, a block's width is that of its second convolution.
UNetConfig read_unet(const WeightSource& source) {
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
  config.heads = number_in_metadata(source, "refrain.unet.heads").value_or(kUNetHeads);
  config.head_channels = number_in_metadata(source, "refrain.unet.head_channels").value_or(0);
  return config;
}

ClipTextConfig read_clip(const WeightSource& source, const std::string& prefix) {
  const Shapes shapes(source, prefix + ".");
  ClipTextConfig config;
  config.vocabulary = shapes.size("embeddings.token_embedding.weight", 0);
  config.width = shapes.size("embeddings.token_embedding.weight", 1);
  config.positions = shapes.size("embeddings.position_embedding.weight", 0);
  config.layers = shapes.count("encoder.layers", ".layer_norm1.weight");
  if (config.layers == 0) shapes.fail("encoder.layers.0.layer_norm1.weight", "is missing");
  config.heads = number_in_metadata(source, "refrain.clip.heads").value_or(std::max(1, config.width / kClipHeadWidth));
  return config;
}

AutoencoderConfig read_autoencoder(const WeightSource& source) {
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

std::string clip_prefix(const WeightSource& source) {
  for (const char* prefix : {kClipPrefix, kOldClipPrefix}) {
    if (source.tensors().contains(std::string(prefix) + ".embeddings.token_embedding.weight")) return prefix;
  }
  return {};
}

}  // namespace

bool recognise(const WeightSource& source) {
  const Shapes shapes(source, std::string(kUNetPrefix) + ".");
  const std::string clip = clip_prefix(source);
  // SD 2 and SDXL project with linear layers, SDXL has label embeddings, inpainting models take more channels.
  return !clip.empty() && shapes.rank("middle_block.1.proj_in.weight") == 4 && !shapes.has("label_emb.0.0.weight") &&
         shapes.rank("input_blocks.0.0.weight") == 4 && shapes.size("input_blocks.0.0.weight", 1) == 4 &&
         source.tensors().contains(std::string(kAutoencoderPrefix) + ".post_quant_conv.weight");
}

Sizes read_sizes(const WeightSource& source) {
  Sizes sizes;
  sizes.clip_prefix = clip_prefix(source);
  sizes.unet = read_unet(source);
  sizes.clip = read_clip(source, sizes.clip_prefix);
  sizes.autoencoder = read_autoencoder(source);
  if (sizes.unet.context_dim != sizes.clip.width) {
    throw ModelError("model_config", source.name() + ": the U-Net wants text of width " +
                                         std::to_string(sizes.unet.context_dim) + ", the text encoder gives " +
                                         std::to_string(sizes.clip.width) + "; the file mixes two models");
  }
  return sizes;
}

}  // namespace refrain::diffusion::sd1
