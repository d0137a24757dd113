#pragma once
// Names of the same weights in diffusers' folders and in a single file of CompVis' layout (SD 1.x and its relatives).
//
//   U-Net         unet.down_blocks.I.resnets.J      -> model.diffusion_model.input_blocks.(1 + I (n + 1) + J).0
//                 unet.up_blocks.I.attentions.J     -> model.diffusion_model.output_blocks.(I (n' + 1) + J).1
//   autoencoder   vae.decoder.up_blocks.I.resnets.J -> first_stage_model.decoder.up.(L - 1 - I).block.J
//   text encoder  text_encoder.text_model           -> cond_stage_model.transformer.text_model
//
// n: resnets of an encoder level, L: levels. Source of the facts: src/diffusers/loaders/single_file_utils.py.

#include <refrain/diffusion/weights.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace refrain::diffusion {

/// A folder's weights (prefixes "unet.", "vae.", "text_encoder.") under the names of a single file. What has no place
/// there keeps its name. The autoencoder's attention, linear layers in a folder, gets its shape as 1x1 convolutions.
/// Metadata gains the head counts that shapes don't tell: refrain.unet.heads, refrain.clip.heads.
std::shared_ptr<const WeightSource> with_single_file_names(std::shared_ptr<const WeightSource> source);

}  // namespace refrain::diffusion
