#include <refrain/plugin.hpp>

#include <algorithm>

namespace {

using namespace refrain;

/// A batch several times over; each repetition draws other noise.
class RepeatLatentBatch final : public Node {
 public:
  static constexpr In<Latent> samples{"samples"};
  static constexpr Param<std::int64_t> amount{"amount", 1, {1, 64}, "how many times"};
  static constexpr Out<Latent> latent{"LATENT"};

  static Schema schema() {
    return Schema{"RepeatLatentBatch", "latent/batch", "Repeats a batch of latents.", {samples, amount}, {latent}}
        .titled("Repeat Latent Batch");
  }

  void run(Context& ctx) override {
    const std::int64_t times = ctx[amount];
    Latent all = ctx[samples];
    all.samples = all.samples.repeat({times, 1, 1, 1});
    if (all.noise_mask.defined() && all.noise_mask.size(0) > 1)
      all.noise_mask = all.noise_mask.repeat({times, 1, 1, 1});
    if (!all.batch_index.empty()) {
      const std::vector<std::int64_t> once = all.batch_index;
      const auto [least, most] = std::ranges::minmax(once);
      for (std::int64_t i = 1; i < times; ++i) {
        for (const std::int64_t index : once) all.batch_index.push_back(index + i * (most - least + 1));
      }
    }
    ctx.set(latent, std::move(all));
  }
};

}  // namespace

REFRAIN_NODE(RepeatLatentBatch)
