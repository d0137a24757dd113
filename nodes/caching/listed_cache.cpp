#include <refrain/plugin.hpp>

#include <refrain/diffusion/policies.hpp>

#include "step_text.hpp"

namespace {

using namespace refrain;

/// Full at the listed steps: DeepCache's non-uniform policy, written out.
class ListedCache final : public Node {
 public:
  static constexpr Param<std::string> steps{"steps", "0, 5, 9",
                                            "the steps that are computed whole, from 0; the first always is"};
  static constexpr Param<int> depth{
      "depth", 0, {0, 99}, "skips that are recomputed at the other steps, less one; below the model's number of skips"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"ListedCache",
                  "refrain/caching",
                  "Computes the whole U-Net at the listed steps only.",
                  {steps, depth},
                  {policy}}
        .titled("Listed Cache");
  }

  void validate(Literals& in) const override {
    if (const std::string* text = in[steps]) {
      try {
        parse_steps(*text);
      } catch (const NodeError& error) {
        in.reject(steps, error.what());
      }
    }
  }

  void run(Context& ctx) override {
    ctx.set(policy, std::make_shared<const diffusion::ListedCache>(parse_steps(ctx[steps]), ctx[depth]));
  }
};

}  // namespace

REFRAIN_NODE(ListedCache)
