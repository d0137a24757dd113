#include <refrain/plugin.hpp>

#include <ATen/ops/conv2d.h>
#include <ATen/ops/ones.h>

#include "pixels.hpp"

namespace {

using namespace refrain;

/// Pictures to latents, grey where a mask covers them, with a noise mask there. Follows ComfyUI's node of that name.
class VAEEncodeForInpaint final : public Node {
 public:
  static constexpr In<Image> pixels{"pixels", "RGB in [0, 1], [N, H, W, 3]; the sides are cut to multiples of 8"};
  static constexpr In<diffusion::Vae> vae{"vae", "the autoencoder"};
  static constexpr In<Mask> mask{"mask", "1 what is to be painted anew"};
  static constexpr Param<std::int64_t> grow_mask_by{
      "grow_mask_by", 6, {0, 64, 1}, "pixels by which the noise mask is larger, so that no seam shows"};
  static constexpr Out<Latent> latent{"LATENT", "with a noise mask"};

  static Schema schema() {
    return Schema{"VAEEncodeForInpaint",
                  "latent/inpaint",
                  "Encodes pictures whose masked part is to be painted from nothing.",
                  {pixels, vae, mask, grow_mask_by},
                  {latent}}
        .titled("VAE Encode (for Inpainting)");
  }

  void run(Context& ctx) override {
    const at::Tensor& all = ctx[pixels].pixels;
    const Cut cut(all.size(1), all.size(2), ctx[vae].autoencoder->downscale());
    const at::Tensor covered = cut.of(mask_for(ctx[mask].values, all.size(1), all.size(2)), 2);
    Latent result = encoded(ctx[vae], greyed(cut.of(all, 1), covered));
    result.noise_mask = grown(covered, ctx[grow_mask_by]).round();
    ctx.set(latent, std::move(result));
  }

 private:
  /// 1 wherever a square of that side has anything of the mask in it. [M, 1, H, W].
  static at::Tensor grown(const at::Tensor& mask, std::int64_t side) {
    if (side == 0) return mask;
    const at::Tensor count = at::conv2d(mask.round(), at::ones({1, 1, side, side}), {}, 1, side / 2);
    return count.clamp(0, 1).narrow(2, 0, mask.size(2)).narrow(3, 0, mask.size(3));
  }
};

}  // namespace

REFRAIN_NODE(VAEEncodeForInpaint)
