#pragma once
// What a LoRA file holds for the modules of a model: comfy/lora.py (load_lora).

#include "lora/module_names.hpp"
#include "lora/weight_update.hpp"

#include <refrain/diffusion/weights.hpp>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion {

/// A LoRA file, and which of its tensors were understood.
class LoraFile {
 public:
  explicit LoraFile(std::shared_ptr<const WeightSource> file) : file_(std::move(file)) {}

  /// The updates for the modules of these names, by the full names of the weights; of several for one weight the last.
  /// `weights` holds the weights: an update of another shape is an error. Throws ModelError lora_damaged, lora_shape,
  /// lora_unsupported.
  std::map<std::string, WeightUpdate, std::less<>> updates(const ModuleNames& names, const WeightSource& weights);
  /// Tensors that no call of updates() had a place for.
  std::vector<std::string> unused() const;

 private:
  using Updates = std::map<std::string, WeightUpdate, std::less<>>;

  bool has(const std::string& name) const { return file_->tensors().contains(name); }
  void refuse_unsupported(const std::string& module) const;
  void read_module(const std::string& module, const std::string& weight, Updates& updates);
  bool read_low_rank(const std::string& module, WeightUpdate& update);
  bool read_parts(const std::string& module, const std::string& family, std::initializer_list<std::string_view> parts,
                  WeightUpdate& update);
  void read_difference(const std::string& name, WeightUpdate::Kind kind, const std::string& weight, Updates& updates);
  void require(const WeightUpdate& update, const std::string& module,
               std::initializer_list<std::string_view> parts) const;
  double number(const std::string& name) const;

  std::shared_ptr<const WeightSource> file_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace refrain::diffusion
