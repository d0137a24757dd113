#include <refrain/plugin.hpp>

#include "options.hpp"

namespace {

using namespace refrain;

/// A prompt for a rectangle of the picture, in shares of its sides.
class ConditioningSetAreaPercentage final : public Node {
 public:
  static constexpr In<Conditioning> conditioning{"conditioning"};
  static constexpr Param<double> width{"width", 1.0, {0.0, 1.0, 0.01}, "share of the picture's"};
  static constexpr Param<double> height{"height", 1.0, {0.0, 1.0, 0.01}, "share of the picture's"};
  static constexpr Param<double> x{"x", 0.0, {0.0, 1.0, 0.01}, "of the left side"};
  static constexpr Param<double> y{"y", 0.0, {0.0, 1.0, 0.01}, "of the upper side"};
  static constexpr Param<double> strength{"strength", 1.0, {0.0, 10.0, 0.01}, "against other prompts there"};
  static constexpr Out<Conditioning> result{"CONDITIONING"};

  static Schema schema() {
    return Schema{"ConditioningSetAreaPercentage",
                  "conditioning",
                  "Confines a prompt to a rectangle, given in shares of the picture's sides.",
                  {conditioning, width, height, x, y, strength},
                  {result}}
        .titled("Conditioning (Set Area with Percentage)");
  }

  void run(Context& ctx) override {
    ctx.set(result, with_options(ctx[conditioning],
                                 {{"area_shares", std::vector<double>{ctx[height], ctx[width], ctx[y], ctx[x]}},
                                  {"strength", ctx[strength]},
                                  {"set_area_to_bounds", false}}));
  }
};

}  // namespace

REFRAIN_NODE(ConditioningSetAreaPercentage)
