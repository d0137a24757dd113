#include "weights/diffusers_names.hpp"

#include "weights/quoted.hpp"
#include "weights/renamed.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

using Names = std::map<std::string, TensorInfo, std::less<>>;

struct Pair {
  std::string_view from;
  std::string_view to;
};

constexpr Pair kResnetOfUNet[] = {{"norm1", "in_layers.0"},          {"conv1", "in_layers.2"},
                                  {"time_emb_proj", "emb_layers.1"}, {"norm2", "out_layers.0"},
                                  {"conv2", "out_layers.3"},         {"conv_shortcut", "skip_connection"}};
constexpr Pair kEndsOfUNet[] = {{"conv_in", "input_blocks.0.0"},
                                {"time_embedding.linear_1", "time_embed.0"},
                                {"time_embedding.linear_2", "time_embed.2"},
                                {"class_embedding.linear_1", "label_emb.0.0"},
                                {"class_embedding.linear_2", "label_emb.0.2"},
                                {"add_embedding.linear_1", "label_emb.0.0"},
                                {"add_embedding.linear_2", "label_emb.0.2"},
                                {"conv_norm_out", "out.0"},
                                {"conv_out", "out.2"}};
constexpr Pair kResnetOfAutoencoder[] = {{"conv_shortcut", "nin_shortcut"}};
/// The second name of each is that of files from before diffusers 0.12.
constexpr Pair kAttentionOfAutoencoder[] = {{"group_norm", "norm"},
                                            {"to_q", "q"},
                                            {"query", "q"},
                                            {"to_k", "k"},
                                            {"key", "k"},
                                            {"to_v", "v"},
                                            {"value", "v"},
                                            {"to_out.0", "proj_out"},
                                            {"proj_attn", "proj_out"}};
constexpr Pair kEndsOfAutoencoder[] = {{"conv_norm_out", "norm_out"}};

/// A name whose parts are taken from its front, one after the other.
class Path {
 public:
  explicit Path(std::string_view rest) : rest_(rest) {}

  bool take(std::string_view part) {
    if (!rest_.starts_with(part) || (rest_.size() > part.size() && rest_[part.size()] != '.')) return false;
    rest_.remove_prefix(std::min(rest_.size(), part.size() + 1));
    return true;
  }
  std::optional<int> take_number() {
    constexpr int kMost = 1000;
    int number = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    const auto length = static_cast<std::size_t>(end - rest_.data());
    if (error != std::errc() || number < 0 || number >= kMost) return std::nullopt;
    if (length < rest_.size() && rest_[length] != '.') return std::nullopt;
    rest_.remove_prefix(std::min(rest_.size(), length + 1));
    return number;
  }
  /// "part.I" or nothing.
  std::optional<int> take(std::string_view part, std::nullptr_t) {
    const std::string_view before = rest_;
    if (take(part)) {
      if (const auto number = take_number()) return number;
    }
    rest_ = before;
    return std::nullopt;
  }
  /// What is left, its front renamed after the first pair that fits.
  std::string renamed(std::span<const Pair> pairs) const {
    for (const Pair& pair : pairs) {
      Path copy = *this;
      if (copy.take(pair.from)) return std::string(pair.to) + (copy.rest_.empty() ? "" : ".") + std::string(copy.rest_);
    }
    return std::string(rest_);
  }
  const std::string_view& rest() const { return rest_; }

 private:
  std::string_view rest_;
};

bool any_begins(const Names& names, const std::string& prefix) {
  const auto place = names.lower_bound(prefix);
  return place != names.end() && place->first.starts_with(prefix);
}

int count(const Names& names, const std::string& prefix) {
  int number = 0;
  while (any_begins(names, prefix + std::to_string(number) + ".")) ++number;
  return number;
}

class UNetNames {
 public:
  explicit UNetNames(const Names& names)
      : names_(names),
        encoder_(count(names, "unet.down_blocks.0.resnets.")),
        decoder_(count(names, "unet.up_blocks.0.resnets.")) {}

  std::optional<std::string> translate(Path path) const {
    if (const auto level = path.take("down_blocks", nullptr)) return encoder(*level, path);
    if (const auto level = path.take("up_blocks", nullptr)) return decoder(*level, path);
    if (path.take("mid_block")) return middle(path);
    const std::string name = path.renamed(kEndsOfUNet);
    if (name == path.rest()) return std::nullopt;
    return name;
  }

 private:
  std::optional<std::string> encoder(int level, Path path) const {
    const int first = 1 + level * (encoder_ + 1);
    if (const auto at = path.take("resnets", nullptr)) {
      return "input_blocks." + std::to_string(first + *at) + ".0." + path.renamed(kResnetOfUNet);
    }
    if (const auto at = path.take("attentions", nullptr)) {
      return "input_blocks." + std::to_string(first + *at) + ".1." + std::string(path.rest());
    }
    if (path.take("downsamplers.0.conv")) {
      return "input_blocks." + std::to_string(first + encoder_) + ".0.op." + std::string(path.rest());
    }
    return std::nullopt;
  }

  std::optional<std::string> decoder(int level, Path path) const {
    const int first = level * decoder_;
    if (const auto at = path.take("resnets", nullptr)) {
      return "output_blocks." + std::to_string(first + *at) + ".0." + path.renamed(kResnetOfUNet);
    }
    if (const auto at = path.take("attentions", nullptr)) {
      return "output_blocks." + std::to_string(first + *at) + ".1." + std::string(path.rest());
    }
    if (path.take("upsamplers.0.conv")) {
      // It follows the attention of the level's last block, or the block itself.
      const bool attention = any_begins(names_, "unet.up_blocks." + std::to_string(level) + ".attentions.");
      return "output_blocks." + std::to_string(first + decoder_ - 1) + (attention ? ".2" : ".1") + ".conv." +
             std::string(path.rest());
    }
    return std::nullopt;
  }

  static std::optional<std::string> middle(Path path) {
    if (const auto at = path.take("resnets", nullptr)) {
      return "middle_block." + std::to_string(2 * *at) + "." + path.renamed(kResnetOfUNet);
    }
    if (path.take("attentions.0")) return "middle_block.1." + std::string(path.rest());
    return std::nullopt;
  }

  const Names& names_;
  int encoder_;  // resnets of an encoder level
  int decoder_;
};

class AutoencoderNames {
 public:
  explicit AutoencoderNames(const Names& names) : levels_(count(names, "vae.decoder.up_blocks.")) {}

  std::optional<std::string> translate(Path path) const {
    for (const std::string_view side : {"encoder", "decoder"}) {
      if (!path.take(side)) continue;
      const std::string front = std::string(side) + ".";
      if (const auto level = path.take("down_blocks", nullptr)) {
        return block(front + "down." + std::to_string(*level), path, "downsamplers.0.conv", "downsample.conv");
      }
      if (const auto level = path.take("up_blocks", nullptr)) {
        return block(front + "up." + std::to_string(levels_ - 1 - *level), path, "upsamplers.0.conv", "upsample.conv");
      }
      if (path.take("mid_block")) return middle(front + "mid.", path);
      return front + path.renamed(kEndsOfAutoencoder);
    }
    return std::string(path.rest());
  }

  /// Whether a translated name is that of a 1x1 convolution which is a linear layer in diffusers.
  static bool is_pointwise(std::string_view name) {
    return name.find(".mid.attn_1.") != name.npos && name.ends_with(".weight") && !name.ends_with(".norm.weight");
  }

 private:
  static std::optional<std::string> block(const std::string& front, Path path, std::string_view sampler,
                                          std::string_view sampler_to) {
    if (const auto at = path.take("resnets", nullptr)) {
      return front + ".block." + std::to_string(*at) + "." + path.renamed(kResnetOfAutoencoder);
    }
    if (path.take(sampler)) return front + "." + std::string(sampler_to) + "." + std::string(path.rest());
    return std::nullopt;
  }

  static std::optional<std::string> middle(const std::string& front, Path path) {
    if (const auto at = path.take("resnets", nullptr)) {
      return front + "block_" + std::to_string(*at + 1) + "." + path.renamed(kResnetOfAutoencoder);
    }
    if (path.take("attentions.0")) return front + "attn_1." + path.renamed(kAttentionOfAutoencoder);
    return std::nullopt;
  }

  int levels_;
};

/// Text encoders saved by recent transformers lack the "text_model".
std::string translate_text(Path path) {
  path.take("text_model");
  return "cond_stage_model.transformer.text_model." + std::string(path.rest());
}

/// The head counts of the configurations, where they are one number for all levels.
void add_heads(std::map<std::string, std::string, std::less<>>& metadata) {
  const auto is_number = [](const std::string& text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  // diffusers calls the number of heads "attention_head_dim" in this class.
  for (const auto& [key, note] : {std::pair("unet.config.num_attention_heads", "refrain.unet.heads"),
                                  std::pair("unet.config.attention_head_dim", "refrain.unet.heads"),
                                  std::pair("text_encoder.config.num_attention_heads", "refrain.clip.heads")}) {
    const auto place = metadata.find(key);
    if (place != metadata.end() && is_number(place->second)) metadata.emplace(note, place->second);
  }
}

}  // namespace

std::shared_ptr<const WeightSource> with_single_file_names(std::shared_ptr<const WeightSource> source) {
  const Names& tensors = source->tensors();
  const UNetNames unet(tensors);
  const AutoencoderNames autoencoder(tensors);
  std::map<std::string, Renamed, std::less<>> names;
  for (const auto& [name, info] : tensors) {
    std::optional<std::string> translated;
    Renamed renamed{name, {}};
    Path path(name);
    if (path.take("unet")) {
      translated = unet.translate(path);
      if (translated) translated = "model.diffusion_model." + *translated;
    } else if (path.take("vae")) {
      translated = autoencoder.translate(path);
      if (translated) translated = "first_stage_model." + *translated;
      if (translated && info.shape.size() == 2 && AutoencoderNames::is_pointwise(*translated)) {
        renamed.shape = {info.shape[0], info.shape[1], 1, 1};
      }
    } else if (path.take("text_encoder")) {
      translated = translate_text(path);
    }
    const auto [place, fresh] = names.emplace(translated.value_or(name), std::move(renamed));
    if (!fresh) {
      throw ModelError("model_file_damaged", source->name() + " holds the tensor " + in_quotes(place->first) +
                                                 " under two names; download it again");
    }
  }
  auto metadata = source->metadata();
  add_heads(metadata);
  return renamed_weights(std::move(source), std::move(names), std::move(metadata));
}

}  // namespace refrain::diffusion
