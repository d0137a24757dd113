#include <refrain/plugin.hpp>

#include <ATen/ops/cat.h>

#include "options.hpp"

namespace {

using namespace refrain;

/// A prompt with another's tokens behind it.
class ConditioningConcat final : public Node {
 public:
  static constexpr In<Conditioning> conditioning_to{"conditioning_to", "gets the tokens"};
  static constexpr In<Conditioning> conditioning_from{"conditioning_from", "of its first item"};
  static constexpr Out<Conditioning> joined{"CONDITIONING", "[1, T + T', D]"};

  static Schema schema() {
    return Schema{"ConditioningConcat",
                  "conditioning",
                  "Puts the tokens of one prompt behind those of another.",
                  {conditioning_to, conditioning_from},
                  {joined}}
        .titled("Conditioning (Concat)");
  }

  void run(Context& ctx) override {
    const ConditioningItem& from = single_item(ctx[conditioning_from], conditioning_from.name);
    Conditioning result = ctx[conditioning_to];
    for (ConditioningItem& item : result.items) item.tokens = at::cat({item.tokens, from.tokens}, 1);
    ctx.set(joined, std::move(result));
  }
};

}  // namespace

REFRAIN_NODE(ConditioningConcat)
