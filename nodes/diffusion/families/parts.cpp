#include <refrain/diffusion/parts.hpp>

#include "families/layout.hpp"
#include "families/sd1.hpp"
#include "families/sd1_parts.hpp"
#include "families/shapes.hpp"
#include "weights/diffusers_names.hpp"
#include "weights/merged.hpp"
#include "weights/rounded.hpp"

#include <refrain/diffusion/error.hpp>

#include <string_view>

namespace refrain::diffusion {
namespace {

using Source = std::shared_ptr<const WeightSource>;

bool has(const WeightSource& source, std::string_view name) { return source.tensors().contains(name); }

Source below(const std::string& prefix, const Source& source) {
  return merged_weights(source->name(), {{prefix, source}}, source->metadata());
}

[[noreturn]] void unknown(const WeightSource& source, const std::string& wanted) {
  throw ModelError("unknown_model_family",
                   source.name() + " holds no " + wanted + ": it looks like " + describe_layout(source));
}

Source with_unet_names(const Source& source) {
  if (has(*source, "model.diffusion_model.input_blocks.0.0.weight")) return source;
  if (has(*source, "input_blocks.0.0.weight")) return below("model.diffusion_model.", source);
  if (has(*source, "down_blocks.0.resnets.0.conv1.weight")) return with_single_file_names(below("unet.", source));
  unknown(*source, "U-Net of a supported kind (SD 1.x, in CompVis' or in diffusers' names)");
}

Source with_autoencoder_names(const Source& source) {
  if (has(*source, "first_stage_model.decoder.conv_in.weight")) return source;
  if (has(*source, "decoder.up_blocks.0.resnets.0.norm1.weight")) return with_single_file_names(below("vae.", source));
  if (has(*source, "decoder.conv_in.weight")) return below("first_stage_model.", source);
  unknown(*source, "autoencoder of a supported kind (SD's, in CompVis' or in diffusers' names)");
}

Source with_text_encoder_names(const Source& source) {
  if (!sd1::clip_prefix(*source).empty()) return source;
  if (has(*source, "text_model.embeddings.token_embedding.weight"))
    return below("cond_stage_model.transformer.", source);
  if (has(*source, "embeddings.token_embedding.weight")) {
    return below("cond_stage_model.transformer.text_model.", source);
  }
  unknown(*source, "text encoder of a supported kind (CLIP ViT-L/14, in the names of transformers)");
}

Source rounded(const Source& source, WeightRounding rounding) {
  switch (rounding) {
    case WeightRounding::none: break;
    case WeightRounding::float8_e4m3: return rounded_to(source, at::kFloat8_e4m3fn);
    case WeightRounding::float8_e5m2: return rounded_to(source, at::kFloat8_e5m2);
  }
  return source;
}

}  // namespace

std::shared_ptr<const Model> load_unet(const std::filesystem::path& file, const LoadOptions& options,
                                       WeightRounding rounding) {
  const Source source = with_unet_names(open_weights(file, options.weights));
  if (!sd1::recognise_unet(*source)) {
    throw ModelError("unknown_model_family",
                     source->name() +
                         " holds a U-Net of another family than SD 1.x with 4 or 9 input channels "
                         "(SD 2.x, SDXL), which is not supported yet");
  }
  source->read_ahead();
  return sd1::make_model(sd1::read_unet(*source), sd1::read_sample_size(*source), rounded(source, rounding),
                         options.placement);
}

std::shared_ptr<const Clip> load_text_encoder(const std::filesystem::path& file, const LoadOptions& options) {
  const Source source = with_text_encoder_names(open_weights(file, options.weights));
  const std::string prefix = sd1::clip_prefix(*source);
  const ClipTextConfig config = sd1::read_clip(*source, prefix);
  constexpr int kLayersOfOthers = 23;  // SD 2.x has CLIP ViT-H with 23 or 24, SDXL's second one ViT-bigG with 32
  if (config.layers >= kLayersOfOthers) {
    throw ModelError("unknown_model_family", source->name() + ": a text encoder of " + std::to_string(config.layers) +
                                                 " layers belongs to SD 2.x or SDXL, which are not supported yet; "
                                                 "choose CLIP ViT-L/14");
  }
  source->read_ahead();
  return sd1::make_clip(config, prefix, source, options);
}

std::shared_ptr<const Vae> load_autoencoder(const std::filesystem::path& file, const LoadOptions& options) {
  const Source source = with_autoencoder_names(open_weights(file, options.weights));
  if (!has(*source, "first_stage_model.post_quant_conv.weight") ||
      has(*source, "first_stage_model.quantize.embedding.weight")) {
    throw ModelError("unknown_model_family", source->name() +
                                                 " holds an autoencoder of another kind than SD's (it should have "
                                                 "post_quant_conv and no codebook); choose one for SD 1.x");
  }
  source->read_ahead();
  return sd1::make_vae(read_ldm_autoencoder(*source), source, options);
}

}  // namespace refrain::diffusion
