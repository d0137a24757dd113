#include <refrain/plugin.hpp>

#include <ATen/ops/ones_like.h>

#include <algorithm>

namespace {

using namespace refrain;

/// A latent put onto another. Follows ComfyUI's node of that name.
class LatentComposite final : public Node {
 public:
  static constexpr In<Latent> samples_to{"samples_to", "what is below"};
  static constexpr In<Latent> samples_from{"samples_from", "what is put onto it; cut at its borders"};
  static constexpr Param<std::int64_t> x{"x", 0, {0, 16384, 8}, "of the left side, in pixels"};
  static constexpr Param<std::int64_t> y{"y", 0, {0, 16384, 8}, "of the upper side, in pixels"};
  static constexpr Param<std::int64_t> feather{"feather", 0, {0, 16384, 8}, "pixels over which inner borders fade"};
  static constexpr Out<Latent> latent{"LATENT"};

  static Schema schema() {
    return Schema{"LatentComposite",
                  "latent",
                  "Puts one latent onto another.",
                  {samples_to, samples_from, x, y, feather},
                  {latent}}
        .titled("Latent Composite");
  }

  void run(Context& ctx) override {
    constexpr std::int64_t kPixels = 8;  // in a cell
    const std::int64_t left = ctx[x] / kPixels, top = ctx[y] / kPixels, reach = ctx[feather] / kPixels;
    Latent result = ctx[samples_to];
    const at::Tensor& below = ctx[samples_to].samples;
    const at::Tensor& from = ctx[samples_from].samples;
    const std::int64_t h = std::min(from.size(2), below.size(2) - top),
                       w = std::min(from.size(3), below.size(3) - left);
    if (h < 1 || w < 1) {
      throw NodeError("outside", "the latent lies outside of the one that it is put onto; make x and y smaller");
    }
    const at::Tensor above = from.narrow(2, 0, h).narrow(3, 0, w);
    result.samples = below.clone();
    at::Tensor place = result.samples.narrow(2, top, h).narrow(3, left, w);
    if (reach == 0) {
      place.copy_(above.expand_as(place));
    } else {
      const at::Tensor weight = faded(above, top, left, below, reach);
      place.copy_(above * weight + place * (at::ones_like(weight) - weight));
    }
    ctx.set(latent, std::move(result));
  }

 private:
  /// 1, falling towards the sides that lie inside of `below`.
  static at::Tensor faded(const at::Tensor& above, std::int64_t top, std::int64_t left, const at::Tensor& below,
                          std::int64_t reach) {
    at::Tensor weight = at::ones_like(above);
    const std::int64_t h = above.size(2), w = above.size(3);
    for (std::int64_t i = 0; i < reach; ++i) {
      const double share = 1.0 / static_cast<double>(reach) * static_cast<double>(i + 1);
      if (i < h && top != 0) weight.select(2, i).mul_(share);
      if (i < h && top + h < below.size(2)) weight.select(2, h - 1 - i).mul_(share);
      if (i < w && left != 0) weight.select(3, i).mul_(share);
      if (i < w && left + w < below.size(3)) weight.select(3, w - 1 - i).mul_(share);
    }
    return weight;
  }
};

}  // namespace

REFRAIN_NODE(LatentComposite)
