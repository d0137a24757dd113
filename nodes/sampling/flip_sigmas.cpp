#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// Noise levels in the other direction: from a picture to its noise.
class FlipSigmas final : public Node {
 public:
  static constexpr In<Sigmas> sigmas{"sigmas"};
  static constexpr Out<Sigmas> flipped{"SIGMAS", "the last one first; a first one of 0 becomes 0.0001"};

  static Schema schema() {
    return {"FlipSigmas",
            "sampling/custom_sampling/sigmas",
            "Turns noise levels round, to get from a picture to its noise.",
            {sigmas},
            {flipped}};
  }

  void run(Context& ctx) override {
    constexpr double kInsteadOfZero = 0.0001;
    at::Tensor values = ctx[sigmas].values.flip(0);
    if (values.numel() > 0 && values[0].item<float>() == 0) values[0].fill_(kInsteadOfZero);
    ctx.set(flipped, Sigmas{std::move(values)});
  }
};

}  // namespace

REFRAIN_NODE(FlipSigmas)
