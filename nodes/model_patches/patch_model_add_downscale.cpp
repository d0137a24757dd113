#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>
#include <refrain/diffusion/noise_schedule.hpp>
#include <refrain/diffusion/resize.hpp>

#include <string>

namespace {

using namespace refrain;

/// A model whose U-Net works on smaller features from one of its blocks on, in the early part of a run: large pictures
/// keep one composition. Follows ComfyUI's node of that name.
class PatchModelAddDownscale final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "the network that denoises"};
  static constexpr Param<std::int64_t> block_number{
      "block_number", 3, {1, 32, 1}, "the input block whose output is made smaller"};
  static constexpr Param<double> downscale_factor{
      "downscale_factor", 2.0, {0.1, 9.0, 0.001}, "sides are divided by it"};
  static constexpr Param<double> start_percent{
      "start_percent", 0.0, {0.0, 1.0, 0.001}, "share of the noise schedule from which on it holds"};
  static constexpr Param<double> end_percent{"end_percent", 0.35, {0.0, 1.0, 0.001}, "and up to which"};
  static constexpr Param<bool> downscale_after_skip{"downscale_after_skip", true,
                                                    "leave the skip connection of that block as it is"};
  static constexpr Choice downscale_method{
      "downscale_method", {"bicubic", "nearest-exact", "bilinear", "area", "bislerp"}, "how it is made smaller"};
  static constexpr Choice upscale_method{
      "upscale_method", {"bicubic", "nearest-exact", "bilinear", "area", "bislerp"}, "how it is made large again"};
  static constexpr Out<diffusion::Model> patched{"MODEL"};

  static Schema schema() {
    return Schema{"PatchModelAddDownscale",
                  "model_patches/unet",
                  "Lets the U-Net work on smaller features in the early part of a run, for large pictures.",
                  {model, block_number, downscale_factor, start_percent, end_percent, downscale_after_skip,
                   downscale_method, upscale_method},
                  {patched}}
        .titled("PatchModelAddDownscale (Kohya Deep Shrink)");
  }

  void run(Context& ctx) override {
    diffusion::Model changed = ctx[model];
    diffusion::Downscale patch;
    patch.unit = static_cast<int>(ctx[block_number]);
    if (changed.unet && patch.unit >= changed.unet->skips()) {
      throw NodeError("patch.block_number", "input block_number: this model has no input block " +
                                                std::to_string(patch.unit) + "; its last one is " +
                                                std::to_string(changed.unet->skips() - 1));
    }
    patch.factor = ctx[downscale_factor];
    patch.from = changed.schedule->percent_to_sigma(ctx[start_percent]);
    patch.to = changed.schedule->percent_to_sigma(ctx[end_percent]);
    patch.after_skip = ctx[downscale_after_skip];
    patch.down = diffusion::find_resampling(ctx[downscale_method]);
    patch.up = diffusion::find_resampling(ctx[upscale_method]);
    changed.patches.emplace_back(patch);
    ctx.set(patched, std::move(changed));
  }
};

}  // namespace

REFRAIN_NODE(PatchModelAddDownscale)
