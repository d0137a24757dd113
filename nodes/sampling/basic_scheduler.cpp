#include <refrain/plugin.hpp>

#include <refrain/diffusion/sampling.hpp>

#include <ATen/ops/empty.h>

#include <algorithm>

#include "sampling_run.hpp"

namespace {

using namespace refrain;

/// The noise levels of a scheduler. Unlike KSampler it never drops the last but one.
class BasicScheduler final : public Node {
 public:
  static constexpr In<diffusion::Model> model{"model", "whose noise levels"};
  static constexpr Choice scheduler{"scheduler", scheduler_choices, "how they are spread over the steps"};
  static constexpr Param<std::int64_t> steps{"steps", 20, {1, 10000}, "of the run"};
  static constexpr Param<double> denoise{
      "denoise", 1.0, {0.0, 1.0, 0.01}, "share of the noise levels to go through, from the last one back"};
  static constexpr Out<Sigmas> sigmas{"SIGMAS", "steps + 1 of them, the last 0"};

  static Schema schema() {
    return {"BasicScheduler",
            "sampling/custom_sampling/schedulers",
            "Chooses the noise levels of a run.",
            {model, scheduler, steps, denoise},
            {sigmas}};
  }

  void run(Context& ctx) override {
    if (ctx[denoise] <= 0) {
      ctx.set(sigmas, Sigmas{at::empty({0})});
      return;
    }
    const double all_steps = ctx[denoise] < 1 ? static_cast<double>(ctx[steps]) / ctx[denoise] : ctx[steps];
    if (all_steps > kMostSteps) {
      throw NodeError("bad_denoise", "a denoise so small asks for too many noise levels; raise denoise");
    }
    const at::Tensor all = diffusion::make_sigmas(*ctx[model].schedule, ctx[scheduler], static_cast<int>(all_steps));
    const std::int64_t count = std::min<std::int64_t>(ctx[steps] + 1, all.size(0));
    ctx.set(sigmas, Sigmas{all.narrow(0, all.size(0) - count, count)});
  }

 private:
  static constexpr double kMostSteps = 10'000'000;
};

}  // namespace

REFRAIN_NODE(BasicScheduler)
