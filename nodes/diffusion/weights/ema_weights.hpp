#pragma once
// The averages over the training steps that CompVis' checkpoints hold beside the trained weights.

#include <refrain/diffusion/weights.hpp>

#include <memory>
#include <string_view>

namespace refrain::diffusion {

/// Whether a tensor of that name is such an average.
inline bool is_average(std::string_view name) { return name.starts_with("model_ema."); }

/// `source` with every tensor "model.a.b" that has an average, "model_ema.ab" (the dots left out), replaced by it.
/// Source: ldm/modules/ema.py of CompVis' latent-diffusion. Throws ModelError "model_ema_missing" where there is none.
std::shared_ptr<const WeightSource> averaged_weights(std::shared_ptr<const WeightSource> source);

}  // namespace refrain::diffusion
