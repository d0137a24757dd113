#include "lora.hpp"

namespace {

using namespace refrain;

/// A model and a text encoder with a LoRA on top. Shares all untouched weights with what goes in, which stays as it is.
class LoraLoader final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr In<diffusion::Clip> clip{"clip", "the text encoder"};
  static constexpr Choice lora_name{"lora_name", FilesIn{"loras"}, "the file, below models/loras"};
  static constexpr Param<double> strength_model{
      "strength_model", 1.0, {-100.0, 100.0, 0.01}, "how much of it goes into the model; may be negative"};
  static constexpr Param<double> strength_clip{
      "strength_clip", 1.0, {-100.0, 100.0, 0.01}, "how much of it goes into the text encoder; may be negative"};
  static constexpr Out<diffusion::Model> changed_model{"MODEL", "the model with the LoRA"};
  static constexpr Out<diffusion::Clip> changed_clip{"CLIP", "the text encoder with the LoRA"};

  static Schema schema() {
    return Schema{"LoraLoader",
                  "loaders",
                  "Changes a model and its text encoder by a LoRA. Several in a row add up.",
                  {model, clip, lora_name, strength_model, strength_clip},
                  {changed_model, changed_clip}}
        .titled("Load LoRA");
  }

  void run(Context& ctx) override {
    if (ctx[strength_model] == 0 && ctx[strength_clip] == 0) {
      ctx.set(changed_model, ctx.share(model));
      ctx.set(changed_clip, ctx.share(clip));
      return;
    }
    const diffusion::LoraResult result = load_lora(ctx, ctx.path(lora_name), ctx.share(model), ctx.share(clip),
                                                   {ctx[strength_model], ctx[strength_clip]});
    ctx.set(changed_model, result.model);
    ctx.set(changed_clip, result.clip);
  }
};

}  // namespace

REFRAIN_NODE(LoraLoader)
