#include <refrain/plugin.hpp>

#include "pixels.hpp"

namespace {

using namespace refrain;

/// What inpainting models are told: the mask, and the latent of the picture without what it covers. Follows ComfyUI's
/// node of that name.
class InpaintModelConditioning final : public Node {
 public:
  static constexpr In<Conditioning> positive{"positive"};
  static constexpr In<Conditioning> negative{"negative"};
  static constexpr In<diffusion::Vae> vae{"vae", "the autoencoder"};
  static constexpr In<Image> pixels{"pixels", "RGB in [0, 1], [N, H, W, 3]; the sides are cut to multiples of 8"};
  static constexpr In<Mask> mask{"mask", "1 what is to be painted anew"};
  static constexpr Param<bool> noise_mask{"noise_mask", true, "let only the masked part of the latent change"};
  static constexpr Out<Conditioning> told_positive{"positive"};
  static constexpr Out<Conditioning> told_negative{"negative"};
  static constexpr Out<Latent> latent{"latent", "of the whole picture"};

  static Schema schema() {
    return {"InpaintModelConditioning",
            "conditioning/inpaint",
            "Tells an inpainting model what to paint anew.",
            {positive, negative, vae, pixels, mask, noise_mask},
            {told_positive, told_negative, latent}};
  }

  void run(Context& ctx) override {
    constexpr std::int64_t kUnit = 8;
    const at::Tensor& all = ctx[pixels].pixels;
    const Cut cut(all.size(1), all.size(2), kUnit);
    const at::Tensor covered = cut.of(mask_for(ctx[mask].values, all.size(1), all.size(2)), 2);
    const Latent without = encoded(ctx[vae], greyed(cut.of(all, 1), covered));
    const auto told = [&](const Conditioning& conditioning) {
      Conditioning changed = conditioning;
      for (ConditioningItem& item : changed.items) {
        item.options.insert_or_assign("concat_latent_image", without.samples);
        item.options.insert_or_assign("concat_mask", covered);
      }
      return changed;
    };
    ctx.set(told_positive, told(ctx[positive]));
    ctx.set(told_negative, told(ctx[negative]));
    Latent whole = encoded(ctx[vae], all);
    if (ctx[noise_mask]) whole.noise_mask = covered;
    ctx.set(latent, std::move(whole));
  }
};

}  // namespace

REFRAIN_NODE(InpaintModelConditioning)
