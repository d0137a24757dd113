#pragma once
// Conditioning as it travels on edges, turned into what the sampler takes.

#include <refrain/payloads.hpp>

#include <refrain/diffusion/sampling.hpp>

#include <string_view>
#include <vector>

namespace refrain {

/// Throws NodeError `conditioning.option`, naming the node, its input and the option, for an option that can't be
/// honoured: anything else would give another picture than the workflow asks for.
std::vector<diffusion::Condition> conditions(const Conditioning& conditioning, std::string_view node,
                                             std::string_view input);

}  // namespace refrain
