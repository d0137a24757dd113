#include "step_cache_node.hpp"

namespace {

using namespace refrain;

/// ComfyUI's node of that name, with its decisions.
class LazyCache final : public StepCacheNode<diffusion::LazyCache> {
 public:
  static Schema schema() {
    return schema_of("LazyCache",
                     "Skips the U-Net while the predicted change of the denoised latent stays below a threshold.");
  }
};

}  // namespace

REFRAIN_NODE(LazyCache)
