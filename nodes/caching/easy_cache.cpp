#include "step_cache_node.hpp"

namespace {

using namespace refrain;

/// ComfyUI's node of that name, with its decisions.
class EasyCache final : public StepCacheNode<diffusion::EasyCache> {
 public:
  static Schema schema() {
    return schema_of("EasyCache", "Skips the U-Net while the predicted change of its output stays below a threshold.");
  }
};

}  // namespace

REFRAIN_NODE(EasyCache)
