#include <refrain/diffusion/lora.hpp>

#include "lora/lora_file.hpp"
#include "lora/module_names.hpp"
#include "lora/weight_update.hpp"
#include "weights/quoted.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace refrain::diffusion {
namespace {

using Updates = std::map<std::string, WeightUpdate, std::less<>>;

/// Changed weights over those of a model: the view to make modules from, and what their own weights take.
struct Layer {
  Weights weights;
  std::size_t bytes;
};

/// None where nothing changes at this strength.
std::optional<Layer> layer_over(const Weights& weights, const Updates& updates, double strength) {
  std::map<std::string, WeightChange, std::less<>> changes;
  std::set<std::string, std::less<>> names;
  std::size_t elements = 0;
  for (const auto& [name, update] : updates) {
    if (strength == 0 && update.kind != WeightUpdate::Kind::replacement) continue;
    std::size_t size = 1;
    for (const std::int64_t extent : weights.source().tensors().find(name)->second.shape) {
      size *= static_cast<std::size_t>(extent);
    }
    elements += size;
    names.insert(name);
    changes.emplace(
        name, [update = update, strength](at::Tensor weight) { return updated(update, strength, std::move(weight)); });
  }
  if (changes.empty()) return std::nullopt;
  auto source = changed_weights(weights.shared_source(), std::move(changes));
  return Layer{weights.over(std::move(source), std::move(names)),
               elements * c10::elementSize(weights.placement().dtype)};
}

std::shared_ptr<const Model> changed_model(const std::shared_ptr<const Model>& model, const Updates& updates,
                                           double strength) {
  const auto layer = layer_over(*model->weights, updates, strength);
  if (!layer) return model;
  Model changed = *model;
  changed.unet = std::make_shared<const UNet>(model->unet->config(), layer->weights);
  changed.weights = std::make_shared<const Weights>(layer->weights.alone());
  changed.layer_bytes = std::min(model->layer_bytes + layer->bytes, model->weight_bytes);
  return std::make_shared<const Model>(std::move(changed));
}

/// ComfyUI rounds the changed weights of a text encoder to float16, in which it holds them; those of several LoRAs
/// once.
std::shared_ptr<const Clip> changed_clip(const std::shared_ptr<const Clip>& clip, const Updates& updates,
                                         double strength) {
  const auto layer = layer_over(*clip->weights, updates, strength);
  if (!layer) return clip;
  Clip changed = *clip;
  const Weights rounded = layer->weights.of(rounded_to_half(layer->weights.shared_source()));
  changed.text_model = std::make_shared<const ClipTextModel>(clip->text_model->config(), rounded);
  changed.weights = std::make_shared<const Weights>(layer->weights.alone());
  changed.layer_bytes = std::min(clip->layer_bytes + layer->bytes, clip->weight_bytes);
  return std::make_shared<const Clip>(std::move(changed));
}

/// What a file that matches nothing seems to be.
std::string describe(const WeightSource& file) {
  const auto any = [&](std::string_view part) {
    return std::any_of(file.tensors().begin(), file.tensors().end(),
                       [part](const auto& entry) { return entry.first.find(part) != std::string::npos; });
  };
  if (any("lora_te2_") || any("text_encoder_2.") || any("transformer_blocks_1_")) return "it looks like one for SDXL";
  if (any("double_blocks") || any("single_transformer_blocks")) return "it looks like one for FLUX";
  if (any("model.diffusion_model.") || any("first_stage_model.")) {
    return "it looks like a whole checkpoint, which CheckpointLoaderSimple loads";
  }
  if (any("emb_params") || any("string_to_param")) {
    return "it looks like a textual inversion, which goes into models/embeddings and is called in a prompt";
  }
  if (file.tensors().empty()) return "it is empty";
  return "its first tensor is " + in_quotes(file.tensors().begin()->first);
}

bool all_for_text(const std::vector<std::string>& names) {
  return !names.empty() && std::all_of(names.begin(), names.end(), is_for_text_encoder);
}

}  // namespace

LoraResult with_lora(const std::shared_ptr<const Model>& model, const std::shared_ptr<const Clip>& clip,
                     const std::shared_ptr<const WeightSource>& file, const LoraStrength& strength) {
  LoraFile lora(file);
  Updates of_model, of_clip;
  if (model && model->weights) {
    of_model =
        lora.updates(unet_module_names(*model->weights, model->unet->config().res_blocks), model->weights->source());
  } else if (model) {
    throw ModelError("lora_unsupported",
                     "a model of the family \"" + model->family + "\" takes no LoRA; load an SD 1.x checkpoint");
  }
  if (clip && clip->weights) of_clip = lora.updates(text_module_names(*clip->weights), clip->weights->source());
  LoraResult result{model, clip, of_model.size() + of_clip.size(), lora.unused()};
  if (result.changed == 0) {
    throw ModelError("lora_unmatched",
                     file->name() + ": none of its " + std::to_string(file->tensors().size()) +
                         " tensors belongs to this model: " +
                         (!clip && all_for_text(result.unused) ? "all of them are for the text encoder; use LoraLoader"
                                                               : describe(*file)));
  }
  if (!clip) std::erase_if(result.unused, is_for_text_encoder);
  if (model) result.model = changed_model(model, of_model, strength.model);
  if (clip && clip->weights) result.clip = changed_clip(clip, of_clip, strength.clip);
  return result;
}

}  // namespace refrain::diffusion
