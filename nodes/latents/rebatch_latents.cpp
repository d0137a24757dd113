#include <refrain/plugin.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <refrain/diffusion/resize.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace {

using namespace refrain;

/// Latents of one size that wait for their batch. They have a mask in any case: others that join may need theirs.
struct Batch {
  at::Tensor samples;  // [N, C, h, w]
  at::Tensor mask;     // [N, 1, H, W]
  std::vector<std::int64_t> index;

  std::int64_t size() const { return samples.defined() ? samples.size(0) : 0; }

  bool fits(const Batch& other) const {
    return samples.size(2) == other.samples.size(2) && samples.size(3) == other.samples.size(3);
  }

  void join(const Batch& other) {
    if (mask.size(2) != other.mask.size(2) || mask.size(3) != other.mask.size(3)) {
      throw NodeError("latents.mask_size",
                      "input latents: noise masks of different sizes can't stand in one batch; "
                      "resize the masks to the pictures' size first");
    }
    samples = at::cat({samples, other.samples});
    mask = at::cat({mask, other.mask});
    index.insert(index.end(), other.index.begin(), other.index.end());
  }

  /// Takes the first ones out.
  Latent take(std::int64_t count) {
    count = std::min(count, size());
    const auto split = index.begin() + count;
    Latent taken{samples.narrow(0, 0, count), mask.narrow(0, 0, count), {index.begin(), split}};
    if (taken.noise_mask.mean().item<float>() == 1.0F) taken.noise_mask.reset();
    samples = samples.narrow(0, count, size() - count);
    mask = mask.narrow(0, count, samples.size(0));
    index.erase(index.begin(), split);
    return taken;
  }
};

/// `first`: the batch index of its first latent where it has none of its own.
Batch batch_of(const Latent& latent, std::int64_t first) {
  constexpr std::int64_t kCell = 8;
  const at::Tensor& x = latent.samples;
  Batch batch{x, latent.noise_mask, latent.batch_index};
  if (!batch.mask.defined()) batch.mask = at::ones({x.size(0), 1, x.size(2) * kCell, x.size(3) * kCell});
  batch.mask = diffusion::repeated_to(batch.mask, x.size(0));
  for (std::int64_t i = 0; latent.batch_index.empty() && i < x.size(0); ++i) batch.index.push_back(first + i);
  return batch;
}

/// Lists of latents as lists of batches of another size. Follows ComfyUI's node of that name.
class RebatchLatents final : public Node {
 public:
  static constexpr In<List<Latent>> latents{"latents", "one after the other; each may be a batch"};
  static constexpr Param<std::int64_t> batch_size{"batch_size", 1, {1, 4096}, "latents in a batch, at most"};
  static constexpr Out<List<Latent>> batches{"LATENT", "only latents of one size share a batch"};

  static Schema schema() {
    return Schema{"RebatchLatents",
                  "latent/batch",
                  "Makes batches of another size; what follows runs once for each.",
                  {latents, batch_size},
                  {batches}}
        .titled("Rebatch Latents");
  }

  void run(Context& ctx) override {
    const std::int64_t size = ctx[batch_size];
    Batch waiting;
    std::int64_t seen = 0;
    for (const Latent& latent : ctx[latents]) {
      Batch next = batch_of(latent, seen);
      seen += static_cast<std::int64_t>(next.index.size());
      if (waiting.size() == 0) {
        waiting = std::move(next);
      } else if (waiting.fits(next)) {
        waiting.join(next);
      } else {
        ctx.add(batches, waiting.take(size));
        waiting = std::move(next);
      }
      while (waiting.size() > size) ctx.add(batches, waiting.take(size));
    }
    if (waiting.size() > 0) ctx.add(batches, waiting.take(size));
  }
};

}  // namespace

REFRAIN_NODE(RebatchLatents)
