#include "random_weights.hpp"

#include <ATen/ops/empty.h>

#include <array>
#include <cmath>

namespace refrain::diffusion {
namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;

std::uint64_t fnv1a64(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

std::uint64_t splitmix64(std::uint64_t z) {
  z += kGolden;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EB;
  return z ^ (z >> 31U);
}

double nearly_normal(std::uint64_t bits) {
  const std::uint64_t sum = (bits & 0xFFFF) + ((bits >> 16U) & 0xFFFF) + ((bits >> 32U) & 0xFFFF) + (bits >> 48U);
  return (static_cast<double>(sum) / 65536.0 - 2.0) * std::sqrt(3.0);
}

template <std::size_t n>
bool ends_with_any(std::string_view module, const std::array<std::string_view, n>& names) {
  for (const std::string_view name : names) {
    if (module == name) return true;
    if (module.ends_with(name) && module[module.size() - name.size() - 1] == '.') return true;
  }
  return false;
}

}  // namespace

Distribution weight_distribution(std::string_view name, at::IntArrayRef shape) {
  using namespace std::string_view_literals;
  constexpr std::array kBranchEnds{"out_layers.3"sv, "conv2"sv, "to_out.0"sv, "ff.net.2"sv,
                                   "proj_out"sv,     "fc2"sv,   "out_proj"sv};
  constexpr std::array kQueriesAndKeys{"to_q"sv, "to_k"sv, "q_proj"sv, "k_proj"sv, "q"sv, "k"sv};
  constexpr std::array kOutputs{"model.diffusion_model.out.2"sv, "first_stage_model.decoder.conv_out"sv};
  if (shape.size() == 1) return name.ends_with(".weight") ? Distribution{1, 0.1} : Distribution{0, 0.1};
  if (name.ends_with("token_embedding.weight")) return {0, 0.5};
  if (name.ends_with(".embedding.weight")) return {0, 1};
  if (name.ends_with("position_embedding.weight")) return {0, 0.1};
  double fan_in = 1;
  for (const std::int64_t size : shape.slice(1)) fan_in *= static_cast<double>(size);
  const std::string_view module = name.substr(0, name.rfind('.'));
  const double gain = ends_with_any(module, kBranchEnds)       ? 0.5
                      : ends_with_any(module, kQueriesAndKeys) ? 1.25
                      : ends_with_any(module, kOutputs)        ? 0.3
                      : module == "conv_out"                   ? 0.3
                                                               : 1.0;
  return {0, gain / std::sqrt(fan_in)};
}

at::Tensor random_weight(std::string_view name, at::IntArrayRef shape, at::ScalarType dtype, std::uint64_t seed) {
  const Distribution distribution = weight_distribution(name, shape);
  const std::uint64_t start = fnv1a64(name) ^ (seed * kGolden);
  at::Tensor values = at::empty(shape, at::kFloat);
  float* const out = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    const double normal = nearly_normal(splitmix64(start + static_cast<std::uint64_t>(i)));
    out[i] = static_cast<float>(distribution.mean + distribution.scale * normal);
  }
  return values.to(dtype);
}

}  // namespace refrain::diffusion
