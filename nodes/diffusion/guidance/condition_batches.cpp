#include "condition_batches.hpp"

#include <ATen/ops/cat.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <numeric>

namespace refrain::diffusion {

namespace {

constexpr std::int64_t kMostRepeats = 4;  // of tokens: beyond, padding costs more than a call of its own

struct Waiting {
  Side side;
  const Condition* condition;

  std::int64_t tokens() const { return condition->cross_attention.size(1); }
  std::int64_t width() const { return condition->cross_attention.size(2); }
};

void add_checked(std::vector<Waiting>& list, Side side, const std::vector<Condition>& conditions) {
  for (const Condition& condition : conditions) {
    const at::Tensor& tokens = condition.cross_attention;
    if (!tokens.defined() || tokens.dim() != 3 || tokens.size(0) < 1 || tokens.size(1) < 1) {
      throw ShapeError("bad_conditioning", "a conditioning's tokens are not of the form [1, T, D]");
    }
    list.push_back({side, &condition});
  }
}

bool can_run_together(const Waiting& a, const Waiting& b) {
  if (a.tokens() == b.tokens()) return a.width() == b.width();
  const std::int64_t common = std::lcm(a.tokens(), b.tokens());
  return a.width() == b.width() && common / std::min(a.tokens(), b.tokens()) <= kMostRepeats;
}

/// [B, T, D] -> [pictures, tokens, D]
at::Tensor expanded(const at::Tensor& context, std::int64_t pictures, std::int64_t tokens) {
  const std::int64_t batch = context.size(0);
  return context.repeat({(pictures + batch - 1) / batch, tokens / context.size(1), 1}).narrow(0, 0, pictures);
}

ConditionBatch make_batch(const std::vector<Waiting>& together, std::int64_t pictures, const Placement& placement) {
  std::int64_t tokens = 1;
  for (const Waiting& one : together) tokens = std::lcm(tokens, one.tokens());
  ConditionBatch batch;
  std::vector<at::Tensor> contexts;
  for (const Waiting& one : together) {
    batch.entries.push_back({one.side, one.condition->strength});
    contexts.push_back(expanded(one.condition->cross_attention, pictures, tokens));
  }
  batch.context = at::cat(contexts).to(placement.device, placement.dtype);
  return batch;
}

}  // namespace

std::vector<ConditionBatch> batch_conditions(const std::vector<Condition>& positive,
                                             const std::vector<Condition>& negative, std::int64_t pictures,
                                             const Placement& placement) {
  std::vector<Waiting> waiting;
  add_checked(waiting, Side::positive, positive);
  add_checked(waiting, Side::negative, negative);
  std::vector<ConditionBatch> batches;
  while (!waiting.empty()) {
    std::vector<Waiting> together, rest;
    for (const Waiting& one : waiting) (can_run_together(one, waiting.front()) ? together : rest).push_back(one);
    std::ranges::reverse(together);
    batches.push_back(make_batch(together, pictures, placement));
    waiting = std::move(rest);
  }
  return batches;
}

}  // namespace refrain::diffusion
