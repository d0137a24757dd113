#pragma once
// The DDPM U-Net as diffusers saves it (UNet2DModel), under the names of ermongroup ddim.

#include <refrain/diffusion/weights.hpp>

#include <memory>

namespace refrain::diffusion::ddpm {

/// Whether a file holds an unconditional U-Net in diffusers' names.
bool has_diffusers_names(const WeightSource& source);

/// `source` with every tensor under ermongroup's name for it. Attention is found under its newer names (to_q) and its
/// older ones (query). The data is not touched.
std::shared_ptr<const WeightSource> with_ermongroup_names(std::shared_ptr<const WeightSource> source);

}  // namespace refrain::diffusion::ddpm
