#include <refrain/plugin.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "options.hpp"

namespace {

using namespace refrain;

/// A prompt between two others.
class ConditioningAverage final : public Node {
 public:
  static constexpr In<Conditioning> conditioning_to{"conditioning_to"};
  static constexpr In<Conditioning> conditioning_from{"conditioning_from", "its first item"};
  static constexpr Param<double> conditioning_to_strength{
      "conditioning_to_strength", 1.0, {0.0, 1.0, 0.01}, "1 is conditioning_to alone, 0 the other"};
  static constexpr Out<Conditioning> mean{"CONDITIONING"};

  static Schema schema() {
    return {"ConditioningAverage",
            "conditioning",
            "Mixes the tokens of two prompts.",
            {conditioning_to, conditioning_from, conditioning_to_strength},
            {mean}};
  }

  void run(Context& ctx) override {
    const ConditioningItem& from = single_item(ctx[conditioning_from], conditioning_from.name);
    const double strength = ctx[conditioning_to_strength];
    const auto mixed = [&](const at::Tensor& a, const at::Tensor& b) { return a * strength + b * (1.0 - strength); };
    Conditioning result = ctx[conditioning_to];
    for (ConditioningItem& item : result.items) {
      item.tokens = mixed(item.tokens, of_length(from.tokens, item.tokens));
      if (!from.pooled.defined()) continue;
      item.pooled = mixed(item.pooled.defined() ? item.pooled : from.pooled, from.pooled);
    }
    ctx.set(mean, std::move(result));
  }

 private:
  /// `tokens` cut, or filled up with zeros, to as many as `like` has.
  static at::Tensor of_length(const at::Tensor& tokens, const at::Tensor& like) {
    const std::int64_t length = std::min(tokens.size(1), like.size(1));
    const at::Tensor first = tokens.narrow(1, 0, length);
    if (length == like.size(1)) return first;
    return at::cat({first, at::zeros({first.size(0), like.size(1) - length, first.size(2)}, first.options())}, 1);
  }
};

}  // namespace

REFRAIN_NODE(ConditioningAverage)
