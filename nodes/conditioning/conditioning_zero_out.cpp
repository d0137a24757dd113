#include <refrain/plugin.hpp>

#include <ATen/ops/zeros_like.h>

namespace {

using namespace refrain;

/// A prompt that says nothing: zeros in place of its tokens.
class ConditioningZeroOut final : public Node {
 public:
  static constexpr In<Conditioning> conditioning{"conditioning"};
  static constexpr Out<Conditioning> result{"CONDITIONING"};

  static Schema schema() {
    return {"ConditioningZeroOut",
            "advanced/conditioning",
            "Puts zeros in place of a prompt's tokens.",
            {conditioning},
            {result}};
  }

  void run(Context& ctx) override {
    Conditioning silent = ctx[conditioning];
    for (ConditioningItem& item : silent.items) {
      item.tokens = at::zeros_like(item.tokens);
      if (item.pooled.defined()) item.pooled = at::zeros_like(item.pooled);
    }
    ctx.set(result, std::move(silent));
  }
};

}  // namespace

REFRAIN_NODE(ConditioningZeroOut)
