#include "lora/lora_file.hpp"

#include "weights/quoted.hpp"

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/error.hpp>

#include <array>
#include <utility>

namespace refrain::diffusion {
namespace {

using Kind = WeightUpdate::Kind;

struct Spelling {
  std::string_view up, down;
};

/// The two matrices of a low-rank change, in ComfyUI's order of preference.
constexpr std::array kLowRank{Spelling{".lora_up.weight", ".lora_down.weight"},
                              Spelling{"_lora.up.weight", "_lora.down.weight"},
                              Spelling{".lora_B.weight", ".lora_A.weight"},
                              Spelling{".lora.up.weight", ".lora.down.weight"},
                              Spelling{".lora_B", ".lora_A"},
                              Spelling{".lora_linear_layer.up.weight", ".lora_linear_layer.down.weight"},
                              Spelling{".lora_B.default.weight", ".lora_A.default.weight"}};

/// Kinds that ComfyUI knows and that are not done here; a padded weight would need another model.
struct Unsupported {
  std::string_view leaf, what;
};
constexpr std::array kUnsupported{Unsupported{".oft_blocks", "OFT or BOFT"}, Unsupported{".a1.weight", "GLoRA"},
                                  Unsupported{".reshape_weight", "a change of a weight's shape"}};

}  // namespace

std::map<std::string, WeightUpdate, std::less<>> LoraFile::updates(const ModuleNames& names,
                                                                   const WeightSource& weights) {
  Updates updates;
  for (const auto& [module, weight] : names) read_module(module, weight, updates);
  for (const auto& [weight, update] : updates) {
    const auto there = weights.tensors().find(weight);
    if (there == weights.tensors().end()) {
      throw ModelError("lora_shape", file_->name() + " changes " + in_quotes(weight) +
                                         ", which the model has not; the LoRA was made for another kind of model");
    }
    check_update(update, weight, there->second.shape);
  }
  return updates;
}

std::vector<std::string> LoraFile::unused() const {
  std::vector<std::string> names;
  for (const auto& [name, info] : file_->tensors()) {
    if (!used_.contains(name)) names.push_back(name);
  }
  return names;
}

void LoraFile::read_module(const std::string& module, const std::string& weight, Updates& updates) {
  refuse_unsupported(module);
  WeightUpdate base;
  base.file = file_;
  if (const std::string alpha = module + ".alpha"; has(alpha)) {
    base.alpha = number(alpha);
    used_.insert(alpha);
  }
  const std::string dora_scale = module + ".dora_scale";
  if (has(dora_scale)) used_.insert(dora_scale);
  const auto keep = [&](WeightUpdate update, Kind kind) {
    update.kind = kind;
    for (const auto& [part, name] : update.parts) used_.insert(name);
    if (has(dora_scale)) update.parts.emplace("dora_scale", dora_scale);
    updates[weight] = std::move(update);
  };
  if (WeightUpdate update = base; read_low_rank(module, update)) keep(std::move(update), Kind::low_rank);
  if (WeightUpdate update = base; read_parts(module, ".hada_", {"w1_a", "w1_b", "w2_a", "w2_b", "t1", "t2"}, update)) {
    require(update, module, {"w1_a", "w1_b", "w2_a", "w2_b"});
    if (update.has("t1") != update.has("t2")) require(update, module, {"t1", "t2"});
    keep(std::move(update), Kind::hadamard);
  }
  if (WeightUpdate update = base;
      read_parts(module, ".lokr_", {"w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b", "t2"}, update)) {
    if (!update.has("w1")) require(update, module, {"w1_a", "w1_b"});
    if (!update.has("w2")) require(update, module, {"w2_a", "w2_b"});
    keep(std::move(update), Kind::kronecker);
  }
  constexpr std::string_view kWeight = ".weight";
  const bool has_bias = weight.ends_with(kWeight);
  const std::string bias = has_bias ? weight.substr(0, weight.size() - kWeight.size()) + ".bias" : std::string();
  if (has(module + ".w_norm")) {
    read_difference(module + ".w_norm", Kind::difference, weight, updates);
    if (has_bias) read_difference(module + ".b_norm", Kind::difference, bias, updates);
  }
  read_difference(module + ".diff", Kind::difference, weight, updates);
  if (has_bias) read_difference(module + ".diff_b", Kind::difference, bias, updates);
  read_difference(module + ".set_weight", Kind::replacement, weight, updates);
}

void LoraFile::refuse_unsupported(const std::string& module) const {
  for (const Unsupported& kind : kUnsupported) {
    const std::string name = module + std::string(kind.leaf);
    if (!has(name)) continue;
    throw ModelError("lora_unsupported", file_->name() + " holds " + std::string(kind.what) + " in " + in_quotes(name) +
                                             ", which is not supported; merge it into a checkpoint with the program "
                                             "that made it");
  }
}

bool LoraFile::read_low_rank(const std::string& module, WeightUpdate& update) {
  for (const Spelling& spelling : kLowRank) {
    const std::string up = module + std::string(spelling.up);
    if (!has(up)) continue;
    update.parts = {{"up", up}, {"down", module + std::string(spelling.down)}};
    require(update, module, {"up", "down"});
    const std::string mid = module + ".lora_mid.weight";
    if (&spelling == &kLowRank.front() && has(mid)) update.parts.emplace("mid", mid);
    return true;
  }
  return false;
}

bool LoraFile::read_parts(const std::string& module, const std::string& family,
                          std::initializer_list<std::string_view> parts, WeightUpdate& update) {
  for (const std::string_view part : parts) {
    const std::string name = module + family + std::string(part);
    if (has(name)) update.parts.emplace(part, name);
  }
  return !update.parts.empty();
}

void LoraFile::read_difference(const std::string& name, Kind kind, const std::string& weight, Updates& updates) {
  if (!has(name)) return;
  used_.insert(name);
  WeightUpdate update;
  update.kind = kind;
  update.file = file_;
  update.parts = {{kind == Kind::difference ? "difference" : "replacement", name}};
  updates[weight] = std::move(update);
}

void LoraFile::require(const WeightUpdate& update, const std::string& module,
                       std::initializer_list<std::string_view> parts) const {
  for (const std::string_view part : parts) {
    if (update.has(part) && has(update.name_of(part))) continue;
    throw ModelError("lora_damaged", file_->name() + ": the change of " + in_quotes(module) + " lacks its part '" +
                                         std::string(part) + "'; download it again");
  }
}

double LoraFile::number(const std::string& name) const {
  const at::Tensor value = file_->tensor(name);
  if (value.numel() != 1) {
    throw ModelError("lora_damaged", file_->name() + ": " + in_quotes(name) + " is not one number; download it again");
  }
  return value.to(at::kDouble).item<double>();
}

}  // namespace refrain::diffusion
