#pragma once
// Names of element types in safetensors files.

#include <c10/core/ScalarType.h>

#include <optional>
#include <string_view>

namespace refrain::diffusion {

/// The type called `name` ("F16", ...); none for a type that isn't supported.
std::optional<at::ScalarType> safetensors_dtype(std::string_view name);
/// The name of a type; none for a type that has no place in these files.
std::optional<std::string_view> safetensors_name(at::ScalarType dtype);
/// "F32, F16, ...": the types that are supported, for messages.
std::string_view supported_safetensors_dtypes();

}  // namespace refrain::diffusion
