#pragma once
// A session whose decisions are a fixed list of solver steps.

#include <refrain/diffusion/cache_policy.hpp>

namespace refrain::diffusion {

/// Throws ModelError naming the policy and the depths of the model when there is no such depth.
void check_depth(const CachePolicy& policy, int depth, const Run& run);

/// Full where `full` says so, for every stage of that step, else Deep(depth).
std::unique_ptr<CacheSession> make_step_list_session(std::vector<bool> full, int depth);

}  // namespace refrain::diffusion
