// Folders as diffusers saves them: src/diffusers/utils/constants.py and models/modeling_utils.py of diffusers.

#include "weights/diffusers_names.hpp"
#include "weights/json_fields.hpp"
#include "weights/mapped_file.hpp"
#include "weights/merged.hpp"
#include "weights/shards.hpp"

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/weights.hpp>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

using Parts = std::vector<std::pair<std::string, std::shared_ptr<const WeightSource>>>;
using Metadata = std::map<std::string, std::string, std::less<>>;

/// What the weights of a component are called, without variant and ending.
struct Stems {
  std::string safetensors;
  std::string pickled;
};

const Stems kModelStems{"diffusion_pytorch_model", "diffusion_pytorch_model"};
const Stems kTextStems{"model", "pytorch_model"};
constexpr std::string_view kTrainedVariant = ".non_ema";

/// The file of weights, or the index of its shards, in the order in which they are preferred.
std::optional<std::filesystem::path> find_weights(const std::filesystem::path& folder, const Stems& stems,
                                                  const std::vector<std::string>& variants) {
  for (const std::string& variant : variants) {
    for (const auto& [stem, ending] :
         {std::pair(stems.safetensors, std::string(".safetensors")), std::pair(stems.pickled, std::string(".bin"))}) {
      for (const std::string& name : {stem + variant + ending, stem + variant + ending + ".index.json",
                                      stem + ending + ".index" + variant + ".json"}) {
        if (std::filesystem::is_regular_file(folder / name)) return folder / name;
      }
    }
  }
  return std::nullopt;
}

std::vector<std::string> variants(const std::filesystem::path& folder, const Stems& stems,
                                  const WeightOptions& options) {
  const std::string trained(kTrainedVariant);
  // The plain file is the average where there is another one of the trained weights.
  if (options.use_ema.value_or(false) && !find_weights(folder, stems, {trained})) {
    throw ModelError("model_ema_missing", folder.string() +
                                              " doesn't tell averaged (EMA) weights from trained ones; "
                                              "load it without asking for them");
  }
  std::vector<std::string> wanted{"", ".fp16", ".bf16"};
  if (!options.use_ema.value_or(true)) wanted.insert(wanted.begin(), trained);
  return wanted;
}

void add_config(const std::filesystem::path& file, const std::string& component, Metadata& metadata) {
  if (!std::filesystem::is_regular_file(file)) return;
  const MappedFile mapped(file);
  const std::string_view json(reinterpret_cast<const char*>(mapped.data()), mapped.size());
  for (auto& [key, value] : read_json_fields(json, mapped.name())) {
    metadata[component + ".config." + key] = std::move(value);
  }
}

/// Opens the weights of one component where the folder has them.
void add_component(const std::filesystem::path& folder, const std::string& component, const Stems& stems,
                   const std::vector<std::string>& wanted, const std::string& prefix, Parts& parts,
                   Metadata& metadata) {
  const auto file = find_weights(folder, stems, wanted);
  if (!file) return;
  parts.emplace_back(prefix, file->extension() == ".json" ? open_shards(*file) : open_weights(*file));
  add_config(folder / "config.json", component, metadata);
}

}  // namespace

std::shared_ptr<const WeightSource> open_diffusers_folder(const std::filesystem::path& folder,
                                                          const WeightOptions& options) {
  const std::vector<std::string> plain{"", ".fp16", ".bf16"};
  Parts parts;
  Metadata metadata;
  const bool alone = find_weights(folder, kModelStems, plain).has_value();
  const std::filesystem::path unet = alone ? folder : folder / "unet";
  add_component(unet, "unet", kModelStems, variants(unet, kModelStems, options), "unet.", parts, metadata);
  if (!alone) {
    add_component(folder / "vae", "vae", kModelStems, plain, "vae.", parts, metadata);
    add_component(folder / "text_encoder", "text_encoder", kTextStems, plain, "text_encoder.", parts, metadata);
    add_component(folder / "text_encoder_2", "text_encoder_2", kTextStems, plain, "text_encoder_2.", parts, metadata);
  }
  if (parts.empty()) {
    throw ModelError("model_file_missing",
                     folder.string() +
                         " is a folder without the weights of a diffusers model (searched for "
                         "unet/diffusion_pytorch_model.safetensors, vae/... and text_encoder/...); give "
                         "the folder that holds model_index.json, or a file");
  }
  if (parts.size() == 1) parts.front().first.clear();
  auto merged = merged_weights(folder.string(), parts, std::move(metadata));
  return parts.size() == 1 ? merged : with_single_file_names(std::move(merged));
}

}  // namespace refrain::diffusion
