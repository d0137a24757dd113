#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

#include <ATen/ops/zeros.h>

#include <fmt/format.h>

namespace {

using namespace refrain;

/// A latent of zeros of the shape that the model was trained on.
class EmptyModelLatent final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "whose latents they are"};
  static constexpr Param<std::int64_t> batch_size{"batch_size", 1, {1, 4096}, "number of pictures"};
  static constexpr Out<Latent> latent{"LATENT", "zeros [batch_size, channels, side, side]"};

  static Schema schema() {
    return Schema{"EmptyModelLatent",
                  "refrain/reference",
                  "Makes empty latents of the shape that a model was trained on, for the sampler to fill.",
                  {model, batch_size},
                  {latent}}
        .titled("Empty Latent of a Model");
  }

  void run(Context& ctx) override {
    const std::int64_t n = ctx[batch_size], channels = ctx[model].latent_channels, side = ctx[model].sample_size;
    ctx.require_memory(static_cast<std::uint64_t>(n * channels * side * side) * sizeof(float),
                       fmt::format("{} empty latents of {} x {}", n, side, side));
    ctx.set(latent, Latent{at::zeros({n, channels, side, side}), {}, {}});
  }
};

}  // namespace

REFRAIN_NODE(EmptyModelLatent)
