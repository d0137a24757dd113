#pragma once
#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/reference_sampling.hpp>

#include <memory>
#include <string>

namespace refrain {

/// What the choice "implementation" of the sampler nodes says.
diffusion::Convention convention_called(const std::string& name);

/// A reference's sampler for a model's noise schedule, as the value of a SAMPLER edge. Throws NodeError for no model.
std::shared_ptr<const diffusion::Sampler> reference_sampler_value(const diffusion::Model& model, std::string name,
                                                                  diffusion::ReferenceSampler sampler);

}  // namespace refrain
