#include <refrain/plugin.hpp>

#include <refrain/diffusion/resize.hpp>

#include <algorithm>

namespace {

using namespace refrain;

/// Some latents of a batch; they keep the noise that they have there.
class LatentFromBatch final : public Node {
 public:
  static constexpr In<Latent> samples{"samples"};
  static constexpr Param<std::int64_t> batch_index{"batch_index", 0, {0, 63}, "the first one"};
  static constexpr Param<std::int64_t> length{"length", 1, {1, 64}, "how many"};
  static constexpr Out<Latent> latent{"LATENT"};

  static Schema schema() {
    return Schema{
        "LatentFromBatch", "latent/batch", "Takes latents out of a batch.", {samples, batch_index, length}, {latent}}
        .titled("Latent From Batch");
  }

  void run(Context& ctx) override {
    const Latent& all = ctx[samples];
    const std::int64_t count = all.samples.size(0);
    const std::int64_t first = std::min(count - 1, ctx[batch_index]), taken = std::min(count - first, ctx[length]);
    Latent some{all.samples.narrow(0, first, taken), all.noise_mask, {}};
    if (some.noise_mask.defined() && some.noise_mask.size(0) > 1) {
      some.noise_mask = diffusion::repeated_to(some.noise_mask, count).narrow(0, first, taken);
    }
    for (std::int64_t i = first; i < first + taken; ++i) {
      some.batch_index.push_back(all.batch_index.empty() ? i : all.batch_index.at(static_cast<std::size_t>(i)));
    }
    ctx.set(latent, std::move(some));
  }
};

}  // namespace

REFRAIN_NODE(LatentFromBatch)
