#pragma once
// Which conditions run in one call of the network. Follows comfy/samplers.py (calc_cond_batch) and comfy/conds.py.

#include <span>
#include <vector>

#include "prepared_conditions.hpp"

namespace refrain::diffusion {

enum class Side { positive, negative };

/// Conditions that run together, in the order of the batch.
struct ConditionBatch {
  struct Entry {
    Side side;
    const PreparedCondition* condition;
  };
  std::vector<Entry> entries;
  at::Tensor context;           ///< [entries * N, T, D]: the entries' tokens, each for N pictures
  at::Tensor further_channels;  ///< [entries * N, c, h, w] beside the latents; undefined: none

  std::int64_t count() const { return static_cast<std::int64_t>(entries.size()); }
};

/// Puts conditions of equal area whose token counts have a small common multiple into one batch, tokens repeated up to
/// it (attention over repeated tokens is the same), the last one first: [negative, positive]. Contexts go where
/// `placement` says. The batches refer to the conditions.
std::vector<ConditionBatch> batch_conditions(std::span<const ConditionBatch::Entry> conditions, std::int64_t pictures,
                                             const Placement& placement);

}  // namespace refrain::diffusion
