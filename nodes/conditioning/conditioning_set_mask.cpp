#include <refrain/plugin.hpp>

#include "options.hpp"

namespace {

using namespace refrain;

/// A prompt for a part of the picture of any shape.
class ConditioningSetMask final : public Node {
 public:
  static constexpr In<Conditioning> conditioning{"conditioning"};
  static constexpr In<Mask> mask{"mask", "1 where the prompt holds, 0 where it does not"};
  static constexpr Param<double> strength{"strength", 1.0, {0.0, 10.0, 0.01}, "against other prompts there"};
  static constexpr Choice set_cond_area{
      "set_cond_area", {"default", "mask bounds"}, "mask bounds: compute only the rectangle around the mask"};
  static constexpr Out<Conditioning> result{"CONDITIONING"};

  static Schema schema() {
    return Schema{"ConditioningSetMask",
                  "conditioning",
                  "Confines a prompt to what a mask covers.",
                  {conditioning, mask, strength, set_cond_area},
                  {result}}
        .titled("Conditioning (Set Mask)");
  }

  void run(Context& ctx) override {
    ctx.set(result, with_options(ctx[conditioning], {{"mask", ctx[mask].values},
                                                     {"mask_strength", ctx[strength]},
                                                     {"set_area_to_bounds", ctx[set_cond_area] != "default"}}));
  }
};

}  // namespace

REFRAIN_NODE(ConditioningSetMask)
