#include <refrain/plugin.hpp>

#include "options.hpp"

namespace {

using namespace refrain;

/// A prompt for a part of the run.
class ConditioningSetTimestepRange final : public Node {
 public:
  static constexpr In<Conditioning> conditioning{"conditioning"};
  static constexpr Param<double> start{"start", 0.0, {0.0, 1.0, 0.001}, "share of the noise schedule; 0 is pure noise"};
  static constexpr Param<double> end{"end", 1.0, {0.0, 1.0, 0.001}, "1 is the finished picture"};
  static constexpr Out<Conditioning> result{"CONDITIONING"};

  static Schema schema() {
    return {"ConditioningSetTimestepRange",
            "advanced/conditioning",
            "Confines a prompt to a part of the noise schedule.",
            {conditioning, start, end},
            {result}};
  }

  void run(Context& ctx) override {
    ctx.set(result, with_options(ctx[conditioning], {{"start_percent", ctx[start]}, {"end_percent", ctx[end]}}));
  }
};

}  // namespace

REFRAIN_NODE(ConditioningSetTimestepRange)
