#pragma once
// Cache policies made of others.

#include <refrain/diffusion/cache_policy.hpp>

namespace refrain::diffusion {

/// Another policy in a window of the model's training schedule; full evaluations outside of it, of which that policy
/// isn't told.
class PhaseCache final : public CachePolicy {
 public:
  /// From start_percent on (0 is the first step of training, all noise) and before end_percent, as ComfyUI counts.
  /// Throws Error when the policy is null or the window is not within 0 to 1 or ends before it starts.
  PhaseCache(std::shared_ptr<const CachePolicy> policy, double start_percent, double end_percent);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  std::shared_ptr<const CachePolicy> policy_;
  double start_percent_;
  double end_percent_;
};

/// Two policies: the first decides; where it wants a full evaluation the second is asked. Each is told what came of the
/// evaluations that it was asked about.
/// A cache is kept for what either declared; stages of a step share it only where both declared so.
class ChainCache final : public CachePolicy {
 public:
  /// Throws Error when either is null.
  ChainCache(std::shared_ptr<const CachePolicy> first, std::shared_ptr<const CachePolicy> second);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  std::shared_ptr<const CachePolicy> first_, second_;
};

}  // namespace refrain::diffusion
