#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

#include <ATen/ops/zeros.h>

#include <fmt/format.h>

namespace {

using namespace refrain;

/// What a model is told where there is nothing to say: the last class, or a token that the network doesn't look at.
class UnconditionalConditioning final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "an unconditional or a class-conditional model"};
  static constexpr Out<Conditioning> conditioning{"CONDITIONING", "[1, 1, width]"};

  static Schema schema() {
    return Schema{"UnconditionalConditioning",
                  "refrain/reference",
                  "The conditioning of a model without one, and the negative side of a class-conditional one.",
                  {model},
                  {conditioning}}
        .titled("Unconditional Conditioning");
  }

  void run(Context& ctx) override {
    const diffusion::Model& asked = ctx[model];
    at::Tensor token;
    if (asked.class_embedding.defined()) {
      token = asked.class_embedding.narrow(0, asked.class_embedding.size(0) - 1, 1).unsqueeze(1);
    } else if (asked.unet->config().context_dim == 0) {
      token = at::zeros({1, 1, 1});
    } else {
      throw NodeError("conditioning.needs_text", fmt::format("input model: a model of the family {} takes text; "
                                                             "encode an empty prompt with CLIPTextEncode",
                                                             asked.family));
    }
    ctx.set(conditioning, Conditioning{{{token, {}, {}}}});
  }
};

}  // namespace

REFRAIN_NODE(UnconditionalConditioning)
