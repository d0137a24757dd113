#include "reference_sampler_value.hpp"

#include <utility>

namespace refrain {

diffusion::Convention convention_called(const std::string& name) {
  if (name == "ldm") return diffusion::Convention::ldm;
  return name == "ermongroup" ? diffusion::Convention::ermongroup : diffusion::Convention::diffusers;
}

std::shared_ptr<const diffusion::Sampler> reference_sampler_value(const diffusion::Model& model, std::string name,
                                                                  diffusion::ReferenceSampler sampler) {
  sampler.schedule = model.schedule;
  sampler.law = model.noise_law;
  diffusion::Sampler value;
  if (sampler.convention == diffusion::Convention::diffusers) value.frequencies = diffusion::Frequencies::diffusers;
  value.name = std::move(name);
  value.solve = std::move(sampler);
  return std::make_shared<const diffusion::Sampler>(std::move(value));
}

}  // namespace refrain
