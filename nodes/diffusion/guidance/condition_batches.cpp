#include "condition_batches.hpp"

#include <ATen/ops/cat.h>
#include <refrain/diffusion/resize.hpp>

#include <algorithm>
#include <numeric>

namespace refrain::diffusion {

namespace {

using Entry = ConditionBatch::Entry;

constexpr std::int64_t kMostRepeats = 4;  // of tokens: beyond, padding costs more than a call of its own

bool same_size(const std::optional<Rectangle>& a, const std::optional<Rectangle>& b) {
  if (!a || !b) return !a && !b;
  return a->height == b->height && a->width == b->width;
}

bool can_run_together(const PreparedCondition& a, const PreparedCondition& b) {
  if (!same_size(a.area, b.area) || a.context.size(2) != b.context.size(2)) return false;
  const std::int64_t tokens_a = a.context.size(1), tokens_b = b.context.size(1);
  return tokens_a == tokens_b || std::lcm(tokens_a, tokens_b) / std::min(tokens_a, tokens_b) <= kMostRepeats;
}

/// [B, T, D] -> [pictures, tokens, D]
at::Tensor expanded(const at::Tensor& context, std::int64_t pictures, std::int64_t tokens) {
  return repeated_to(context.repeat({1, tokens / context.size(1), 1}), pictures);
}

ConditionBatch make_batch(std::vector<Entry> together, std::int64_t pictures, const Placement& placement) {
  std::int64_t tokens = 1;
  for (const Entry& one : together) tokens = std::lcm(tokens, one.condition->context.size(1));
  ConditionBatch batch;
  std::vector<at::Tensor> contexts, channels;
  for (const auto& [side, condition] : together) {
    contexts.push_back(expanded(condition->context, pictures, tokens));
    if (const at::Tensor& further = condition->further_channels; further.defined()) {
      channels.push_back(condition->area ? condition->area->of(further) : further);
    }
  }
  batch.entries = std::move(together);
  batch.context = at::cat(contexts).to(placement.device, placement.dtype);
  if (!channels.empty()) batch.further_channels = at::cat(channels).to(placement.device, placement.dtype);
  return batch;
}

}  // namespace

std::vector<ConditionBatch> batch_conditions(std::span<const Entry> conditions, std::int64_t pictures,
                                             const Placement& placement) {
  std::vector<Entry> waiting(conditions.begin(), conditions.end());
  std::vector<ConditionBatch> batches;
  while (!waiting.empty()) {
    std::vector<Entry> together, rest;
    for (const Entry& one : waiting) {
      (can_run_together(*one.condition, *waiting.front().condition) ? together : rest).push_back(one);
    }
    std::ranges::reverse(together);
    batches.push_back(make_batch(std::move(together), pictures, placement));
    waiting = std::move(rest);
  }
  return batches;
}

}  // namespace refrain::diffusion
