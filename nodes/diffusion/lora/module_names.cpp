#include "lora/module_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>

namespace refrain::diffusion {
namespace {

constexpr std::string_view kWeight = ".weight";

struct Pair {
  std::string_view from, to;
};

constexpr std::array kResnet{Pair{"in_layers.0", "norm1"},          Pair{"in_layers.2", "conv1"},
                             Pair{"out_layers.0", "norm2"},         Pair{"out_layers.3", "conv2"},
                             Pair{"emb_layers.1", "time_emb_proj"}, Pair{"skip_connection", "conv_shortcut"}};
constexpr std::array kEnds{Pair{"input_blocks.0.0", "conv_in"}, Pair{"time_embed.0", "time_embedding.linear_1"},
                           Pair{"time_embed.2", "time_embedding.linear_2"}, Pair{"out.0", "conv_norm_out"},
                           Pair{"out.2", "conv_out"}};
constexpr std::array<std::string_view, 6> kOfTextLayers{"mlp.fc1",          "mlp.fc2",          "self_attn.k_proj",
                                                        "self_attn.q_proj", "self_attn.v_proj", "self_attn.out_proj"};

template <std::size_t N>
std::optional<std::string> find(const std::array<Pair, N>& pairs, std::string_view name) {
  const auto there = std::find_if(pairs.begin(), pairs.end(), [&](const Pair& pair) { return pair.from == name; });
  if (there == pairs.end()) return std::nullopt;
  return std::string(there->to);
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::string with_underscores(std::string name) {
  std::replace(name.begin(), name.end(), '.', '_');
  return name;
}

/// "input_blocks.4.1.proj_in" in parts: list, block 4, place 1, rest "proj_in".
struct Numbered {
  std::string_view list;
  int block = 0;
  int place = 0;
  std::string_view rest = {};
};

std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto length = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || number < 0 || length >= text.size() || text[length] != '.') return std::nullopt;
  text.remove_prefix(length + 1);
  return number;
}

std::optional<Numbered> split(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot == name.npos) return std::nullopt;
  Numbered parts{.list = name.substr(0, dot)};
  name.remove_prefix(dot + 1);
  if (parts.list != "middle_block") {
    const auto block = take_number(name);
    if (!block) return std::nullopt;
    parts.block = *block;
  }
  const auto place = take_number(name);
  if (!place) return std::nullopt;
  parts.place = *place;
  parts.rest = name;
  return parts;
}

/// diffusers' name of a module that CompVis calls `name`; none where it has none.
std::optional<std::string> diffusers_name(std::string_view name, int res_blocks) {
  if (auto end = find(kEnds, name)) return end;
  const auto parts = split(name);
  if (!parts) return std::nullopt;
  const auto resnet = find(kResnet, parts->rest);
  const std::string rest(parts->rest);
  if (parts->list == "middle_block") {
    if (resnet) return "mid_block.resnets." + std::to_string(parts->place / 2) + "." + *resnet;
    return "mid_block.attentions.0." + rest;
  }
  const bool encoder = parts->list == "input_blocks";
  if (!encoder && parts->list != "output_blocks") return std::nullopt;
  const int number = encoder ? parts->block - 1 : parts->block;
  const std::string level = (encoder ? "down_blocks." : "up_blocks.") + std::to_string(number / (res_blocks + 1));
  const std::string at = std::to_string(number % (res_blocks + 1)) + ".";
  if (encoder && parts->rest == "op") return level + ".downsamplers.0.conv";
  if (!encoder && parts->rest == "conv") return level + ".upsamplers.0.conv";
  if (resnet) return level + ".resnets." + at + *resnet;
  return level + ".attentions." + at + rest;
}

/// The tensors below a prefix: what follows the prefix, and the full name.
std::vector<std::pair<std::string, std::string>> below(const Weights& weights) {
  const std::string prefix = weights.prefix() + ".";
  std::vector<std::pair<std::string, std::string>> found;
  const auto& tensors = weights.source().tensors();
  for (auto at = tensors.lower_bound(prefix); at != tensors.end() && at->first.starts_with(prefix); ++at) {
    found.emplace_back(at->first.substr(prefix.size()), at->first);
  }
  return found;
}

}  // namespace

ModuleNames unet_module_names(const Weights& unet, int res_blocks) {
  ModuleNames own, of_diffusers;
  for (auto& [name, full] : below(unet)) {
    if (!name.ends_with(kWeight)) {
      own.emplace_back("diffusion_model." + name, full);
      continue;
    }
    const std::string module = name.substr(0, name.size() - kWeight.size());
    own.emplace_back("lora_unet_" + with_underscores(module), full);
    own.emplace_back("diffusion_model." + module, full);
    const auto other = diffusers_name(module, res_blocks);
    if (!other) continue;
    of_diffusers.emplace_back("lora_unet_" + with_underscores(*other), full);
    of_diffusers.emplace_back("lycoris_" + with_underscores(*other), full);
    std::string processor = replaced(*other, ".to_", ".processor.to_");
    if (processor.ends_with(".to_out.0")) processor.resize(processor.size() - 2);
    for (const std::string prefix : {"", "unet."}) {
      of_diffusers.emplace_back(prefix + processor, full);
      if (processor != *other) of_diffusers.emplace_back(prefix + *other, full);
    }
  }
  own.insert(own.end(), of_diffusers.begin(), of_diffusers.end());
  return own;
}

ModuleNames text_module_names(const Weights& text_model) {
  ModuleNames names;
  for (auto& [name, full] : below(text_model)) {
    if (!name.ends_with(kWeight)) continue;
    const std::string module = name.substr(0, name.size() - kWeight.size());
    names.emplace_back("text_encoders.clip_l.transformer.text_model." + module, full);
    std::string_view rest = module;
    constexpr std::string_view kLayers = "encoder.layers.";
    if (!rest.starts_with(kLayers)) continue;
    rest.remove_prefix(kLayers.size());
    if (!take_number(rest) || std::find(kOfTextLayers.begin(), kOfTextLayers.end(), rest) == kOfTextLayers.end())
      continue;
    for (const std::string prefix : {"lora_te_text_model_", "lora_te1_text_model_"}) {
      names.emplace_back(prefix + with_underscores(module), full);
    }
    names.emplace_back("text_encoder.text_model." + module, full);
  }
  return names;
}

bool is_for_text_encoder(std::string_view name) {
  return name.starts_with("lora_te") || name.starts_with("text_encoder");
}

}  // namespace refrain::diffusion
