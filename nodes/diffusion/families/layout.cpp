#include "families/layout.hpp"

#include "families/shapes.hpp"

#include <algorithm>
#include <string_view>

namespace refrain::diffusion {
namespace {

class Names {
 public:
  explicit Names(const WeightSource& source) : source_(source) {}

  bool has(std::string_view name) const { return source_.tensors().contains(name); }
  bool any_begins(std::string_view prefix) const {
    const auto place = source_.tensors().lower_bound(prefix);
    return place != source_.tensors().end() && place->first.starts_with(prefix);
  }
  bool any_contains(std::string_view part) const {
    return std::any_of(source_.tensors().begin(), source_.tensors().end(),
                       [part](const auto& entry) { return entry.first.find(part) != std::string::npos; });
  }

 private:
  const WeightSource& source_;
};

std::string describe_unet_file(const WeightSource& source, const Names& names) {
  const Shapes unet(source, "model.diffusion_model.");
  if (names.any_begins("model.diffusion_model.double_blocks.")) return "a FLUX model, which is not supported";
  if (names.any_begins("model.diffusion_model.joint_blocks."))
    return "a Stable Diffusion 3 model, which is not supported";
  if (names.any_begins("conditioner.embedders.")) return "an SDXL checkpoint, which is not supported yet";
  if (names.any_begins("cond_stage_model.model.")) return "an SD 2.x checkpoint, which is not supported yet";
  if (names.has("cond_stage_model.embedding.weight"))
    return "a class-conditional LDM checkpoint without the codebook of its autoencoder; choose a whole one";
  const int channels = unet.rank("input_blocks.0.0.weight") == 4 ? unet.size("input_blocks.0.0.weight", 1) : 0;
  if (channels == 8) return "an InstructPix2Pix checkpoint (8 input channels), which is not supported yet";
  const bool text = names.any_begins("cond_stage_model.");
  const bool autoencoder = names.any_begins("first_stage_model.");
  if (!text && !autoencoder) return "a U-Net alone, without text encoder and autoencoder; choose a whole checkpoint";
  if (!text) return "a checkpoint without text encoder; choose a whole one";
  if (!autoencoder) return "a checkpoint without autoencoder; choose a whole one";
  return "a checkpoint of an unknown variant";
}

}  // namespace

std::string describe_layout(const WeightSource& source) {
  const Names names(source);
  if (names.any_begins("lora_unet_") || names.any_begins("lora_te") || names.any_contains(".lora_up.") ||
      names.any_contains(".lora_A.") || names.any_contains("_lora.up.")) {
    return "a LoRA (an add-on to a checkpoint); choose the checkpoint itself";
  }
  if (names.any_begins("control_model.") || names.any_begins("controlnet_cond_embedding.") ||
      names.any_begins("zero_convs.")) {
    return "a ControlNet; choose the checkpoint that it steers";
  }
  if (names.has("emb_params") || names.any_begins("string_to_param"))
    return "a textual-inversion embedding, not a checkpoint";
  if (names.any_begins("model.diffusion_model.")) return describe_unet_file(source, names);
  if (names.any_begins("down_blocks.") && names.any_begins("time_embedding.")) {
    return "the U-Net of a diffusers folder; load the whole folder, or a single-file checkpoint";
  }
  if (names.any_begins("encoder.") && names.any_begins("decoder."))
    return "an autoencoder (VAE) alone; choose a whole checkpoint";
  if (names.any_begins("first_stage_model.")) return "an autoencoder (VAE) alone; choose a whole checkpoint";
  if (names.any_begins("text_model.")) return "a text encoder alone; choose a whole checkpoint";
  if (names.any_begins("input_blocks."))
    return "a U-Net alone, without the prefix of a checkpoint; choose a whole checkpoint";
  if (names.has("latent_tensor")) return "a saved latent; load it with LoadLatent";
  if (source.tensors().empty()) return "a file without tensors";
  return "something else; its first tensor is '" + source.tensors().begin()->first.substr(0, 100) + "'";
}

}  // namespace refrain::diffusion
