#pragma once
#include <refrain/diffusion/weights.hpp>

#include <optional>
#include <string>

namespace refrain::diffusion {

/// The whole number above 0 that a file's metadata gives under `key`, if there is such a key.
/// Throws ModelError "model_config" where it is something else.
std::optional<int> number_in_metadata(const WeightSource& source, const std::string& key);

}  // namespace refrain::diffusion
