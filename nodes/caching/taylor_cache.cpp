#include <refrain/plugin.hpp>

#include <refrain/diffusion/policies.hpp>

namespace {

using namespace refrain;

/// TaylorSeer's forecast (arXiv:2503.06923) of DeepCache's feature.
class TaylorCache final : public Node {
 public:
  static constexpr Param<int> interval{"interval", 5, {1, 1000}, "a full step every so many steps; 1 reuses nothing"};
  static constexpr Param<int> depth{
      "depth", 0, {0, 99}, "skips that are recomputed at the other steps, less one; below the model's number of skips"};
  static constexpr Param<int> order{
      "order", 1, {0, 2}, "of the forecast: 0 reuses the last feature, 1 goes on in a line, 2 in a curve"};
  static constexpr Param<int> warm_up{"warm_up", 3, {1, 1000}, "full steps at the beginning"};
  static constexpr Choice variable{"variable",
                                   {"step", "log_snr"},
                                   "what the forecast goes on in: the step number, as published, or the logarithm of "
                                   "the signal-to-noise ratio"};
  static constexpr Choice form{"form",
                               {"taylor", "newton"},
                               "taylor: a series of differences, as published; newton: the polynomial through the "
                               "last features, which differs for order 2"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"TaylorCache",
                  "refrain/caching",
                  "Computes the whole U-Net every few steps, and its shallow part around a forecast feature between.",
                  {interval, depth, order, warm_up, variable, form},
                  {policy}}
        .titled("Taylor Cache");
  }

  void run(Context& ctx) override {
    using diffusion::Forecast;
    const Forecast forecast{ctx[order],
                            ctx[variable] == "step" ? Forecast::Variable::step : Forecast::Variable::log_snr,
                            ctx[form] == "taylor" ? Forecast::Form::taylor : Forecast::Form::newton};
    ctx.set(policy, std::make_shared<const diffusion::TaylorCache>(ctx[interval], ctx[depth], ctx[warm_up], forecast));
  }
};

}  // namespace

REFRAIN_NODE(TaylorCache)
