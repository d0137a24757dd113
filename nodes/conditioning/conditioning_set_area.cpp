#include <refrain/plugin.hpp>

#include "options.hpp"

namespace {

using namespace refrain;

/// A prompt for a rectangle of the picture.
class ConditioningSetArea final : public Node {
 public:
  static constexpr In<Conditioning> conditioning{"conditioning"};
  static constexpr Param<std::int64_t> width{"width", 64, {64, 16384, 8}, "in pixels"};
  static constexpr Param<std::int64_t> height{"height", 64, {64, 16384, 8}, "in pixels"};
  static constexpr Param<std::int64_t> x{"x", 0, {0, 16384, 8}, "of the left side"};
  static constexpr Param<std::int64_t> y{"y", 0, {0, 16384, 8}, "of the upper side"};
  static constexpr Param<double> strength{"strength", 1.0, {0.0, 10.0, 0.01}, "against other prompts there"};
  static constexpr Out<Conditioning> result{"CONDITIONING"};

  static Schema schema() {
    return Schema{"ConditioningSetArea",
                  "conditioning",
                  "Confines a prompt to a rectangle of the picture.",
                  {conditioning, width, height, x, y, strength},
                  {result}}
        .titled("Conditioning (Set Area)");
  }

  void run(Context& ctx) override {
    const auto cells = [&](const Param<std::int64_t>& side) { return static_cast<double>(ctx[side] / kPixels); };
    ctx.set(result, with_options(ctx[conditioning],
                                 {{"area", std::vector<double>{cells(height), cells(width), cells(y), cells(x)}},
                                  {"strength", ctx[strength]},
                                  {"set_area_to_bounds", false}}));
  }

 private:
  static constexpr std::int64_t kPixels = 8;  // in a cell of the latent
};

}  // namespace

REFRAIN_NODE(ConditioningSetArea)
