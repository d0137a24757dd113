#pragma once
// What LoRA files call the modules of a model. Underscores in such names are ambiguous, so the names are made forward
// from the model's own: comfy/lora.py (model_lora_keys_unet, model_lora_keys_clip), comfy/utils.py (unet_to_diffusers).
//
//   kohya-ss             lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q
//                        lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q
//                        lora_te_text_model_encoder_layers_0_self_attn_q_proj, lora_te1_...
//   diffusers            unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q, with or without
//   "unet."
//                        text_encoder.text_model.encoder.layers.0.self_attn.q_proj
//   PEFT                 as diffusers, without "processor" (which ComfyUI 0.3.64 passes over)
//   LyCORIS' trainers    lycoris_down_blocks_0_...
//   the checkpoint's     diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q
//                        text_encoders.clip_l.transformer.text_model.encoder.layers.0.self_attn.q_proj

#include <refrain/diffusion/weights.hpp>

#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// Names of modules in LoRA files, each with the full name of the tensor that it stands for. A tensor has several
/// names.
using ModuleNames = std::vector<std::pair<std::string, std::string>>;

/// For the U-Net at `unet`, in CompVis' names; `res_blocks` resnets at each level of its encoder.
ModuleNames unet_module_names(const Weights& unet, int res_blocks);
/// For the text encoder at `text_model`.
ModuleNames text_module_names(const Weights& text_model);
/// Whether a tensor of a LoRA file is named as one for a text encoder.
bool is_for_text_encoder(std::string_view name);

}  // namespace refrain::diffusion
