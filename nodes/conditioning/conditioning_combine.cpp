#include <refrain/plugin.hpp>

namespace {

using namespace refrain;

/// Two prompts that are both evaluated, their estimates averaged.
class ConditioningCombine final : public Node {
 public:
  static constexpr In<Conditioning> conditioning_1{"conditioning_1"};
  static constexpr In<Conditioning> conditioning_2{"conditioning_2"};
  static constexpr Out<Conditioning> combined{"CONDITIONING", "the items of both"};

  static Schema schema() {
    return Schema{"ConditioningCombine",
                  "conditioning",
                  "Lets the sampler follow two prompts at once, the mean of what each asks for.",
                  {conditioning_1, conditioning_2},
                  {combined}}
        .titled("Conditioning (Combine)");
  }

  void run(Context& ctx) override {
    Conditioning all = ctx[conditioning_1];
    const auto& more = ctx[conditioning_2].items;
    all.items.insert(all.items.end(), more.begin(), more.end());
    ctx.set(combined, std::move(all));
  }
};

}  // namespace

REFRAIN_NODE(ConditioningCombine)
