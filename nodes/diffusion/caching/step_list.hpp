#pragma once
// What several policies are made of: sessions whose decisions are a fixed list of solver steps, and checks of settings.

#include <refrain/diffusion/cache_policy.hpp>

#include <string>
#include <vector>

namespace refrain::diffusion {

/// Throws ModelError naming the policy and the depths of the model when there is no such depth.
void check_depth(const CachePolicy& policy, int depth, const Run& run);

/// Throws Error "cache_depth" when a depth can't be one of any model.
void check_depth(int depth);
/// Throws Error "cache_interval" when it is below 1. `whose`: "a uniform cache".
void check_interval(int interval, const char* whose);

/// Rising, each once. Throws Error "cache_steps" when one is negative. `whose`: "a listed cache".
std::vector<int> checked_steps(std::vector<int> steps, const char* whose);
/// The listed steps and the first, of a run of so many.
std::vector<bool> marked_steps(const std::vector<int>& steps, int run_steps);
/// "0 5 9", or its beginning; "the first step" for an empty list.
std::string shown_steps(const std::vector<int>& steps);

/// "0.15": as many digits as say something.
std::string shown_number(double number);

/// Full where `full` says so, for every stage of that step, else `otherwise`. Its needs are `needs` where anything is
/// reused at all, else none.
std::unique_ptr<CacheSession> make_step_list_session(std::vector<bool> full, Decision otherwise, Needs needs);
/// The same with Deep(depth), stages sharing one cache.
std::unique_ptr<CacheSession> make_step_list_session(std::vector<bool> full, int depth);

}  // namespace refrain::diffusion
