#include "lora.hpp"

namespace {

using namespace refrain;

/// A model with a LoRA on top. Shares all untouched weights with the one that goes in, which stays as it is.
class LoraLoaderModelOnly final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Choice lora_name{"lora_name", FilesIn{"loras"}, "the file, below models/loras"};
  static constexpr Param<double> strength_model{
      "strength_model", 1.0, {-100.0, 100.0, 0.01}, "how much of it goes into the model; may be negative"};
  static constexpr Out<diffusion::Model> changed_model{"MODEL", "the model with the LoRA"};

  static Schema schema() {
    return {"LoraLoaderModelOnly",
            "loaders",
            "Changes a model, but not its text encoder, by a LoRA. Several in a row add up.",
            {model, lora_name, strength_model},
            {changed_model}};
  }

  void run(Context& ctx) override {
    if (ctx[strength_model] == 0) {
      ctx.set(changed_model, ctx.share(model));
      return;
    }
    ctx.set(changed_model,
            load_lora(ctx, ctx.path(lora_name), ctx.share(model), nullptr, {ctx[strength_model], 0}).model);
  }
};

}  // namespace

REFRAIN_NODE(LoraLoaderModelOnly)
