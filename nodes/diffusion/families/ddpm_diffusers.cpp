#include "families/ddpm_diffusers.hpp"

#include "families/shapes.hpp"

#include <refrain/diffusion/error.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::diffusion::ddpm {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

// Whole first parts of a name, and the parts of resnets and attention.
constexpr std::array kStems{Pair{"time_embedding.linear_1", "temb.dense.0"},
                            Pair{"time_embedding.linear_2", "temb.dense.1"},
                            Pair{"conv_in", "conv_in"},
                            Pair{"conv_norm_out", "norm_out"},
                            Pair{"conv_out", "conv_out"},
                            Pair{"mid_block.resnets.0", "mid.block_1"},
                            Pair{"mid_block.resnets.1", "mid.block_2"},
                            Pair{"mid_block.attentions.0", "mid.attn_1"}};
constexpr std::array kResnetParts{
    Pair{"norm1", "norm1"}, Pair{"conv1", "conv1"}, Pair{"time_emb_proj", "temb_proj"},
    Pair{"norm2", "norm2"}, Pair{"conv2", "conv2"}, Pair{"conv_shortcut", "nin_shortcut"}};
constexpr std::array kAttentionParts{
    Pair{"group_norm", "norm"},   Pair{"to_q", "q"},  Pair{"to_k", "k"}, Pair{"to_v", "v"},
    Pair{"to_out.0", "proj_out"}, Pair{"query", "q"}, Pair{"key", "k"},  Pair{"value", "v"},
    Pair{"proj_attn", "proj_out"}};

template <std::size_t n>
std::optional<std::string_view> look_up(const std::array<Pair, n>& table, std::string_view name) {
  for (const auto& [from, to] : table) {
    if (from == name) return to;
  }
  return std::nullopt;
}

/// "12.rest" -> 12 and "rest".
std::optional<std::pair<int, std::string_view>> take_number(std::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == std::string_view::npos || dot == 0 || dot > 3) return std::nullopt;
  int number = 0;
  for (const char c : text.substr(0, dot)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = 10 * number + (c - '0');
  }
  return std::pair{number, text.substr(dot + 1)};
}

/// A module inside down_blocks.i or up_blocks.i.
std::optional<std::string> inside_level(const std::string& level, std::string_view rest) {
  if (rest == "downsamplers.0.conv") return level + ".downsample.conv";
  if (rest == "upsamplers.0.conv") return level + ".upsample.conv";
  const bool resnet = rest.starts_with("resnets.");
  if (!resnet && !rest.starts_with("attentions.")) return std::nullopt;
  const auto block = take_number(rest.substr(rest.find('.') + 1));
  if (!block) return std::nullopt;
  const auto part = resnet ? look_up(kResnetParts, block->second) : look_up(kAttentionParts, block->second);
  if (!part) return std::nullopt;
  return level + (resnet ? ".block." : ".attn.") + std::to_string(block->first) + "." + std::string(*part);
}

/// ermongroup's name of a module; nothing for one that it doesn't have.
std::optional<std::string> translated(std::string_view module, int levels) {
  if (const auto stem = look_up(kStems, module)) return std::string(*stem);
  for (const bool down : {true, false}) {
    const std::string_view blocks = down ? "down_blocks." : "up_blocks.";
    if (!module.starts_with(blocks)) continue;
    const auto level = take_number(module.substr(blocks.size()));
    if (!level || level->first >= levels) return std::nullopt;
    const int number = down ? level->first : levels - 1 - level->first;  // diffusers counts in the order of execution
    return inside_level((down ? "down." : "up.") + std::to_string(number), level->second);
  }
  for (const auto& [stem, name] : kStems) {
    if (!stem.starts_with("mid_block") || !module.starts_with(std::string(stem) + ".")) continue;
    const std::string_view rest = module.substr(stem.size() + 1);
    const auto part = stem.find("resnets") != stem.npos ? look_up(kResnetParts, rest) : look_up(kAttentionParts, rest);
    if (part) return std::string(name) + "." + std::string(*part);
  }
  return std::nullopt;
}

class Renamed final : public WeightSource {
 public:
  explicit Renamed(std::shared_ptr<const WeightSource> source) : source_(std::move(source)) {
    const int levels = Shapes(*source_, "").count("down_blocks", ".resnets.0.conv1.weight");
    for (const auto& [name, info] : source_->tensors()) {
      const std::size_t leaf = name.rfind('.');
      if (leaf == std::string::npos) continue;
      const auto module = translated(std::string_view(name).substr(0, leaf), levels);
      if (!module) continue;
      const std::string to = *module + name.substr(leaf);
      tensors_.emplace(to, info);
      names_.emplace(to, name);
    }
  }

  const std::string& name() const override { return source_->name(); }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return tensors_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return source_->metadata(); }
  at::Tensor tensor(std::string_view name) const override { return source_->tensor(original(name)); }
  void give_back(std::string_view name) const override { source_->give_back(original(name)); }

 private:
  const std::string& original(std::string_view name) const {
    const auto place = names_.find(name);
    if (place == names_.end()) {
      throw ModelError("weight_missing", source_->name() + " has no tensor '" + std::string(name) + "'");
    }
    return place->second;
  }

  std::shared_ptr<const WeightSource> source_;
  std::map<std::string, TensorInfo, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> names_;
};

}  // namespace

bool has_diffusers_names(const WeightSource& source) {
  const Shapes shapes(source, "");
  // An attention to text would make it a UNet2DConditionModel.
  return shapes.rank("time_embedding.linear_1.weight") == 2 && shapes.has("mid_block.attentions.0.group_norm.weight") &&
         shapes.has("down_blocks.0.resnets.0.conv1.weight");
}

std::shared_ptr<const WeightSource> with_ermongroup_names(std::shared_ptr<const WeightSource> source) {
  return std::make_shared<const Renamed>(std::move(source));
}

}  // namespace refrain::diffusion::ddpm
