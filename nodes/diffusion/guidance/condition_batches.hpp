#pragma once
// Which conditions run in one call of the network. Follows comfy/samplers.py (calc_cond_batch) and comfy/conds.py.

#include <refrain/diffusion/sampling.hpp>

#include <vector>

namespace refrain::diffusion {

enum class Side { positive, negative };

/// Conditions that run together, in the order of the batch.
struct ConditionBatch {
  struct Entry {
    Side side;
    double strength;
  };
  std::vector<Entry> entries;
  at::Tensor context;  ///< [entries * N, T, D]: the entries' tokens, each for N pictures

  std::int64_t count() const { return static_cast<std::int64_t>(entries.size()); }
};

/// Puts conditions whose token counts have a small common multiple into one batch, tokens repeated up to it (attention
/// over repeated tokens is the same), the last one first: [negative, positive]. Contexts go where `placement` says.
/// Throws ShapeError when a condition isn't [1, T, D] with T > 0.
std::vector<ConditionBatch> batch_conditions(const std::vector<Condition>& positive,
                                             const std::vector<Condition>& negative, std::int64_t pictures,
                                             const Placement& placement);

}  // namespace refrain::diffusion
