#pragma once
// The cache policies that come with the method. Others live in node libraries of anybody's.
// DeepCache: Accelerating Diffusion Models for Free. Ma, Fang, Wang. CVPR 2024, arXiv:2312.00858.

#include <refrain/diffusion/cache_policy.hpp>

namespace refrain::diffusion {

/// Every evaluation is full: sampling as it is without a cache.
class NoCache final : public CachePolicy {
 public:
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;
};

/// Uniform 1:N of the paper's section 3.3: full at the steps 0, N, 2N, ..., Deep(depth) at the others.
/// Steps are the solver's. Both evaluations of a Heun step do the same, so that the share of full evaluations is 1/N
/// for every sampler, and a full step's second evaluation, at the next step's sigma, leaves the freshest cache to
/// reuse.
class UniformCache final : public CachePolicy {
 public:
  /// Throws Error when interval < 1 or depth < 0. Interval 1 never reuses anything.
  UniformCache(int interval, int depth);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  int interval_;
  int depth_;
};

/// Full at the listed solver steps and at the first one, Deep(depth) at the others. Steps past a run's end are ignored.
class ListedCache final : public CachePolicy {
 public:
  /// `steps` from 0, in any order. Throws Error when a step or the depth is negative.
  ListedCache(std::vector<int> steps, int depth);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  std::vector<int> steps_;  // rising, each once
  int depth_;
};

}  // namespace refrain::diffusion
