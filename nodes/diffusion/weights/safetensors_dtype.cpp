#include "weights/safetensors_dtype.hpp"

#include <array>
#include <utility>

namespace refrain::diffusion {
namespace {

constexpr std::array<std::pair<std::string_view, at::ScalarType>, 10> kTypes{{
    {"F32", at::ScalarType::Float},
    {"F16", at::ScalarType::Half},
    {"BF16", at::ScalarType::BFloat16},
    {"F64", at::ScalarType::Double},
    {"I64", at::ScalarType::Long},
    {"I32", at::ScalarType::Int},
    {"U8", at::ScalarType::Byte},
    {"BOOL", at::ScalarType::Bool},
    {"F8_E4M3", at::ScalarType::Float8_e4m3fn},
    {"F8_E5M2", at::ScalarType::Float8_e5m2},
}};

}  // namespace

std::optional<at::ScalarType> safetensors_dtype(std::string_view name) {
  for (const auto& [known, dtype] : kTypes) {
    if (known == name) return dtype;
  }
  return std::nullopt;
}

std::optional<std::string_view> safetensors_name(at::ScalarType dtype) {
  for (const auto& [name, known] : kTypes) {
    if (known == dtype) return name;
  }
  return std::nullopt;
}

std::string_view supported_safetensors_dtypes() { return "F32, F16, BF16, F64, I64, I32, U8, BOOL, F8_E4M3, F8_E5M2"; }

}  // namespace refrain::diffusion
