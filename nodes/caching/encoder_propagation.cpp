#include <refrain/plugin.hpp>

#include <refrain/diffusion/policies.hpp>

#include "step_text.hpp"

namespace {

using namespace refrain;

/// Faster Diffusion's encoder propagation (arXiv:2312.09608).
class EncoderPropagation final : public Node {
 public:
  static constexpr Param<std::string> key_steps{
      "key_steps", "0, 1, 2, 3, 5, 10, 15, 25, 35",
      "the steps that are computed whole, from 0; the first always is. The paper's list, for 50 steps"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"EncoderPropagation",
                  "refrain/caching",
                  "Computes the whole U-Net at key steps, and between them its decoder alone on the encoder's outputs.",
                  {key_steps},
                  {policy}}
        .titled("Encoder Propagation");
  }

  void validate(Literals& in) const override {
    if (const std::string* text = in[key_steps]) {
      try {
        parse_steps(*text);
      } catch (const NodeError& error) {
        in.reject(key_steps, error.what());
      }
    }
  }

  void run(Context& ctx) override {
    ctx.set(policy, std::make_shared<const diffusion::EncoderPropagation>(parse_steps(ctx[key_steps])));
  }
};

}  // namespace

REFRAIN_NODE(EncoderPropagation)
