#include <refrain/plugin.hpp>

#include <refrain/diffusion/adaptive_policies.hpp>

#include "cached_model.hpp"

namespace {

using namespace refrain;

/// The community's node of that name (styler00dollar/ComfyUI-deepcache), with its decisions.
class DeepCache final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network"};
  static constexpr Param<int> interval{
      "cache_interval", 5, {1, 1000, 1}, "a full step every so many steps; 1 reuses nothing"};
  static constexpr Param<int> depth{
      "cache_depth",
      3,
      {0, 12, 1},
      "skips that are recomputed at the other steps, less one; below the model's number of skips"};
  static constexpr Param<int> start{
      "start_step", 0, {0, 1000, 1}, "of 1000 noise levels: before it nothing is reused; 0 is all noise"};
  static constexpr Param<int> end{"end_step", 1000, {0, 1000, 1}, "of 1000 noise levels: after it nothing is reused"};
  static constexpr Out<diffusion::Model> cached{"MODEL", "the same network, cached"};

  static Schema schema() {
    return Schema{
        "DeepCache",
        "loaders",
        "Computes the whole U-Net every few steps, and its shallow part around a kept feature between.",
        {model, Input(interval).display("number"), Input(depth).display("number"), Input(start).display("number"), end},
        {cached}}
        .titled("Deep Cache");
  }

  void run(Context& ctx) override {
    ctx.set(cached, with_cache(ctx[model], std::make_shared<const diffusion::WindowedDeepCache>(
                                               ctx[interval], ctx[depth], ctx[start], ctx[end])));
  }
};

}  // namespace

REFRAIN_NODE(DeepCache)
