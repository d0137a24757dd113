#include "cached_model.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <utility>

namespace refrain {

diffusion::Model with_cache(const diffusion::Model& model, std::shared_ptr<const diffusion::CachePolicy> policy) {
  if (model.cache_policy) {
    throw NodeError("model.cached",
                    fmt::format("input model: it follows the cache policy \"{}\" already; keep one cache before a "
                                "sampler, or combine policies with ChainCache",
                                model.cache_policy->describe()));
  }
  diffusion::Model changed = model;
  changed.cache_policy = std::move(policy);
  return changed;
}

}  // namespace refrain
