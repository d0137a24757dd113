#include "conditions.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

namespace refrain {
namespace {

using Option = ConditioningItem::Option;

std::optional<double> number(const Option& option) {
  if (const auto* real = std::get_if<double>(&option)) return *real;
  if (const auto* integer = std::get_if<std::int64_t>(&option)) return static_cast<double>(*integer);
  return std::nullopt;
}

bool set_number(double& target, const Option& option) {
  const std::optional<double> found = number(option);
  if (found) target = *found;
  return found.has_value();
}

bool set_tensor(at::Tensor& target, const Option& option) {
  const auto* found = std::get_if<at::Tensor>(&option);
  if (found != nullptr) target = *found;
  return found != nullptr;
}

bool set_area(diffusion::Condition& condition, const Option& option, bool shares) {
  const auto* found = std::get_if<std::vector<double>>(&option);
  if (found == nullptr || found->size() != 4) return false;
  condition.area = diffusion::Area{(*found)[0], (*found)[1], (*found)[2], (*found)[3], shares};
  return true;
}

/// Whether the option is one that samplers know, of the right type.
bool apply(diffusion::Condition& condition, std::string_view key, const Option& option) {
  if (key == "strength") return set_number(condition.strength, option);
  if (key == "area") return set_area(condition, option, false);
  if (key == "area_shares") return set_area(condition, option, true);
  if (key == "mask") return set_tensor(condition.mask, option);
  if (key == "mask_strength") return set_number(condition.mask_strength, option);
  if (key == "start_percent") return set_number(condition.start_percent, option);
  if (key == "end_percent") return set_number(condition.end_percent, option);
  if (key == "concat_latent_image") return set_tensor(condition.inpaint_latent, option);
  if (key == "concat_mask") return set_tensor(condition.inpaint_mask, option);
  if (key == "set_area_to_bounds") {
    const bool* found = std::get_if<bool>(&option);
    if (found != nullptr) condition.area_from_mask = *found;
    return found != nullptr;
  }
  return false;
}

}  // namespace

std::vector<diffusion::Condition> conditions(const Conditioning& conditioning, std::string_view node,
                                             std::string_view input) {
  std::vector<diffusion::Condition> all;
  for (const ConditioningItem& item : conditioning.items) {
    diffusion::Condition condition{item.tokens, 1.0};
    for (const auto& [key, value] : item.options) {
      if (!apply(condition, key, value)) {
        throw NodeError("conditioning.option", fmt::format("input {}: {} can't honour the conditioning option \"{}\" "
                                                           "yet; take the node out that sets it",
                                                           input, node, key));
      }
    }
    all.push_back(std::move(condition));
  }
  return all;
}

}  // namespace refrain
