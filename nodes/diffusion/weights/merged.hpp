#pragma once
// Several sources of weights as one.

#include <refrain/diffusion/weights.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// The tensors of all `parts`, each part's names with its prefix before them. `name` stands for the whole in messages.
/// Throws ModelError where two tensors would have the same name.
std::shared_ptr<const WeightSource> merged_weights(
    std::string name, const std::vector<std::pair<std::string, std::shared_ptr<const WeightSource>>>& parts,
    std::map<std::string, std::string, std::less<>> metadata);

}  // namespace refrain::diffusion
