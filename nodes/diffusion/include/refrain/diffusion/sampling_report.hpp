#pragma once
// What a sampling run did: one action for each evaluation of the network, and what they add up to.

#include <refrain/diffusion/cache_policy.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace refrain::diffusion {

/// Why an evaluation was full although the policy asked for less.
enum class Guard : std::uint8_t {
  none,     ///< it was not
  first,    ///< the run's first evaluation
  changed,  ///< shape, dtype, device, conditions or weights are not those of the evaluation before
  failed,   ///< the evaluation before ended in an error
  missing,  ///< what would be reused was never computed, or fewer values are kept than the policy weighs
  reuses,   ///< too many reuses in a row
};

/// "none", "first", "changed", "failed", "missing" or "reuses".
std::string to_string(Guard guard);

/// What an evaluation did.
struct Action {
  int step = 0;
  int stage = 0;
  double sigma = 0;
  Decision decision;
  bool forced = false;
  double milliseconds = 0;  ///< with the policy's own work
  double macs = 0;          ///< executed, of the whole batch
  Evaluate asked = {};      ///< by the policy
  Guard guard = Guard::none;
  double network_milliseconds = 0;  ///< inside the network alone
  double published_macs = 0;        ///< of the whole batch, as the papers count (Macs::module)
};

/// What a run costs as the papers count: convolutions, linears, norms and biases, for one sample of a batch. Both
/// halves of guidance are samples.
struct PublishedCost {
  double average = 0;  ///< over all evaluations: "MACs" of DeepCache's tables
  double full = 0;     ///< had every evaluation been full
};

/// What a sampling run did.
struct SamplingReport {
  std::string policy;  ///< describe() of the policy
  std::vector<Action> actions;
  double milliseconds = 0;
  double macs = 0;            ///< executed
  double macs_uncached = 0;   ///< had every evaluation been full
  double samples = 0;         ///< of all evaluations' batches
  double published_macs = 0;  ///< as the papers count, done
  double published_macs_uncached = 0;
  std::int64_t peak_kept_bytes = 0;  ///< of the tensors kept between evaluations, at most at any time
};

/// All evaluations of a run that did the same.
struct KindOfAction {
  Evaluate evaluate;
  int count = 0;
  double milliseconds = 0;          ///< all together
  double network_milliseconds = 0;  ///< median, inside the network
  double macs = 0;                  ///< all together, executed
  double published_macs = 0;        ///< all together, as the papers count
};

/// What caching gained, three ways. Each is how many times as fast the evaluations are as full ones would have been.
struct SpeedUp {
  std::vector<KindOfAction> kinds;     ///< in the order of their first occurrence
  double ideal_by_macs = 1;            ///< by what is executed
  double ideal_by_published_macs = 1;  ///< by what the papers count
  double ideal_by_costs = 1;  ///< had every evaluation taken the median time of its kind inside the network, no more
  double realised = 1;        ///< full evaluations at their median against the time that the evaluations took
};

/// Medians over one run: with few full evaluations they are rough.
SpeedUp speed_up(const SamplingReport& report);

/// Zeros for a run without evaluations.
PublishedCost published_cost(const SamplingReport& report);

}  // namespace refrain::diffusion
