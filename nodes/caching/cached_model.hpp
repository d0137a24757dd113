#pragma once
// The nodes that ComfyUI has: a model goes in, a model with a cache comes out.

#include <refrain/diffusion/model.hpp>

#include <memory>

namespace refrain {

/// The model under a policy. Throws NodeError when it follows one already: two caches would not do what either says.
diffusion::Model with_cache(const diffusion::Model& model, std::shared_ptr<const diffusion::CachePolicy> policy);

}  // namespace refrain
