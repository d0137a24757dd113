#pragma once
// Running what is compared: in one process, on the same seeds, each in turn.

#include <refrain/runtime.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "compare/comparison.hpp"
#include "compare/policy_spec.hpp"
#include "compare/subject.hpp"

namespace refrain::cli {

/// What to compare.
struct ContestOptions {
  std::vector<std::string> files;
  std::vector<std::string> settings;  ///< of --set, for every workflow
  std::vector<PolicySpec> policies;   ///< put on the first workflow
  std::vector<std::uint64_t> seeds;   ///< empty: `seed_count`, from the first workflow's own on
  std::size_t seed_count = 4;
  std::string image_node;  ///< empty: the first that a sampler's picture reaches
  bool equal_time = true;  ///< the plain sampler with fewer steps as well
};

/// What a contest tells while it runs.
class ContestDisplay {
 public:
  virtual ~ContestDisplay() = default;
  /// Once, after the warm-up: how long all will take at most, and of how many runs.
  virtual void estimate(double seconds, std::size_t runs) = 0;
  /// Sampler steps done, of all that are to come.
  virtual void progress(std::int64_t done, std::int64_t of) = 0;
  virtual void failed(const NodeFailure& failure) = 0;
};

/// Runs everything and measures. First a short run of each workflow, so that models are loaded, weights packed and
/// memory there; then, seed for seed, every entry once, in an order that turns from seed to seed, so that no entry
/// always comes after the same one; then the plain sampler with as many steps as take each entry's time.
/// Throws what the workflows have wrong (WorkflowError, ValidationError), Error (run_failed) after
/// ContestDisplay::failed, Cancelled.
Comparison run_contest(Runtime& runtime, const ContestOptions& options, ContestDisplay& display,
                       const CancelToken& cancel);

}  // namespace refrain::cli
