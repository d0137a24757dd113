#include "families/sd1.hpp"

#include "families/ldm_sizes.hpp"
#include "families/metadata.hpp"
#include "families/shapes.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>

namespace refrain::diffusion::sd1 {
namespace {

constexpr const char* kClipPrefix = "cond_stage_model.transformer.text_model";
constexpr const char* kOldClipPrefix = "cond_stage_model.transformer";
constexpr int kUNetHeads = 8;
constexpr int kClipHeadWidth = 64;
constexpr int kSampleSize = 64;

}  // namespace

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

std::string clip_prefix(const WeightSource& source) {
  for (const char* prefix : {kClipPrefix, kOldClipPrefix}) {
    if (source.tensors().contains(std::string(prefix) + ".embeddings.token_embedding.weight")) return prefix;
  }
  return {};
}

bool recognise(const WeightSource& source) {
  return !clip_prefix(source).empty() && recognise_unet(source) &&
         source.tensors().contains(std::string(kAutoencoderPrefix) + ".post_quant_conv.weight");
}

bool recognise_unet(const WeightSource& source) {
  const Shapes shapes(source, std::string(kUNetPrefix) + ".");
  // SD 2 and SDXL project with linear layers, SDXL has label embeddings. Inpainting models take five further channels.
  const int channels = shapes.rank("input_blocks.0.0.weight") == 4 ? shapes.size("input_blocks.0.0.weight", 1) : 0;
  return shapes.rank("middle_block.1.proj_in.weight") == 4 && !shapes.has("label_emb.0.0.weight") &&
         (channels == 4 || channels == 9);
}

UNetConfig read_unet(const WeightSource& source) { return read_ldm_unet(source, kUNetHeads); }

int read_sample_size(const WeightSource& source) {
  return number_in_metadata(source, "refrain.unet.sample_size").value_or(kSampleSize);
}

Sizes read_sizes(const WeightSource& source) {
  Sizes sizes;
  sizes.clip_prefix = clip_prefix(source);
  sizes.unet = read_unet(source);
  sizes.clip = read_clip(source, sizes.clip_prefix);
  sizes.autoencoder = read_ldm_autoencoder(source);
  sizes.sample_size = read_sample_size(source);
  if (sizes.unet.context_dim != sizes.clip.width) {
    throw ModelError("model_config", source.name() + ": the U-Net wants text of width " +
                                         std::to_string(sizes.unet.context_dim) + ", the text encoder gives " +
                                         std::to_string(sizes.clip.width) + "; the file mixes two models");
  }
  return sizes;
}

}  // namespace refrain::diffusion::sd1
