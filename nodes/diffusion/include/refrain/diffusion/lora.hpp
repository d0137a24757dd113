#pragma once
// Add-ons that change some weights of a model by small files.
// LoRA: Low-Rank Adaptation of Large Language Models. Hu et al. ICLR 2022, arXiv:2106.09685.

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/weights.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace refrain::diffusion {

/// How much of a LoRA goes into each part; may be negative.
struct LoraStrength {
  double model = 1;
  double clip = 1;
};

/// A model and a text encoder under a LoRA.
struct LoraResult {
  std::shared_ptr<const Model> model;  ///< null where none was given
  std::shared_ptr<const Clip> clip;    ///< null where none was given
  std::size_t changed = 0;             ///< weights that the file changes
  std::vector<std::string> unused;     ///< the file's tensors that have no place in what was given
};

/// `model` and `clip` (either may be null) with the changes of a LoRA on top of those that they carry already. They
/// share every weight that the file doesn't touch with what went in, which stays as it is; those that it does are made
/// anew, in float32 and in ComfyUI's order (comfy/lora.py, comfy/weight_adapter). Read are LoRA with convolutions and a
/// middle (LoCon), DoRA, LoHa, LoKr, differences and whole weights, under the names of kohya-ss, of diffusers (old ones
/// and PEFT's) and of the checkpoint itself. Throws ModelError: lora_unmatched where nothing in the file belongs to
/// them, lora_shape, lora_unsupported, lora_damaged.
LoraResult with_lora(const std::shared_ptr<const Model>& model, const std::shared_ptr<const Clip>& clip,
                     const std::shared_ptr<const WeightSource>& file, const LoraStrength& strength);

}  // namespace refrain::diffusion
