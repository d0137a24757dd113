#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

namespace {

using namespace refrain;

/// A latent between two others.
class LatentBlend final : public Node {
 public:
  static constexpr In<Latent> samples1{"samples1"};
  static constexpr In<Latent> samples2{"samples2", "resized to the first one where it differs"};
  static constexpr Param<double> blend_factor{"blend_factor", 0.5, {0.0, 1.0, 0.01}, "share of the first"};
  static constexpr Out<Latent> latent{"LATENT"};

  static Schema schema() {
    return Schema{"LatentBlend", "_for_testing", "Mixes two latents.", {samples1, samples2, blend_factor}, {latent}}
        .titled("Latent Blend");
  }

  void run(Context& ctx) override {
    Latent result = ctx[samples1];
    const at::Tensor& first = result.samples;
    at::Tensor second = ctx[samples2].samples;
    if (first.sizes() != second.sizes()) {
      second = diffusion::resized(second, first.size(3), first.size(2), diffusion::Resampling::bicubic, true);
    }
    result.samples = first * ctx[blend_factor] + second * (1 - ctx[blend_factor]);
    ctx.set(latent, std::move(result));
  }
};

}  // namespace

REFRAIN_NODE(LatentBlend)
