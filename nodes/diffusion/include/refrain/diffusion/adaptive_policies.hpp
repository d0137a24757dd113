#pragma once
// Cache policies that watch the run: they reuse while what they measure stays below a threshold, or where the model
// stands in its training schedule.

#include <refrain/diffusion/cache_policy.hpp>

namespace refrain::diffusion {

/// Settings of ComfyUI's EasyCache and LazyCache.
struct StepCacheWindow {
  double threshold = 0.2;       ///< of the accumulated, predicted relative change of the output
  double start_percent = 0.15;  ///< of the model's training schedule
  double end_percent = 0.95;
};

/// EasyCache as ComfyUI 0.3.64 runs it (facts: comfy_extras/nodes_easycache.py), with its decisions: the U-Net's
/// prediction minus its input is reused while the accumulated change is below the threshold. Unlike the published rule
/// the change is that since the last computed evaluation, added anew at each reuse. Its mistake is kept, so that its
/// pictures come out: under guidance the reused residuals of both halves are added to both (Target::mixed_residual;
/// later releases correct it, Comfy-Org/ComfyUI pull request 10376). No cap on reuses, as there.
class EasyCache final : public CachePolicy {
 public:
  /// Throws Error when the threshold is negative.
  explicit EasyCache(const StepCacheWindow& window);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  StepCacheWindow window_;
};

/// LazyCache as ComfyUI 0.3.64 runs it: the same on the solver's x and the denoised latent after guidance.
class LazyCache final : public CachePolicy {
 public:
  /// Throws Error when the threshold is negative.
  explicit LazyCache(const StepCacheWindow& window);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  StepCacheWindow window_;
};

/// EasyCache as published: full for `warm_up` steps and at the last; between them the predicted relative change of the
/// output since the step before is accumulated, and the result reused while the sum is below the threshold. The
/// conditional half decides for both.
/// Less is Enough: Training-Free Video Diffusion Acceleration via Runtime-Adaptive Caching. Zhou et al. 2025,
/// arXiv:2507.02860; H-EmbodVis/EasyCache, EasyCache4Wan2.1/easycache_generate.py.
class PublishedEasyCache final : public CachePolicy {
 public:
  /// `reuse`: residual as published. A network that predicts noise mixes two spaces there; prediction and denoised
  /// don't. Throws Error when the threshold or warm_up is negative, or for a feature.
  PublishedEasyCache(double threshold, int warm_up, Estimate::Target reuse);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  double threshold_;
  int warm_up_;
  Estimate::Target reuse_;
};

/// DeepCache as the community's node for ComfyUI runs it (facts: styler00dollar/ComfyUI-deepcache, DeepCache.py): in a
/// window of training steps every `interval`-th evaluation is full, counted from where the training step last rose, and
/// Deep(depth) runs between. Counted evaluations are those of the solver, not batches of the network.
class WindowedDeepCache final : public CachePolicy {
 public:
  /// The window is 1000 - end_step <= t <= 1000 - start_step. Throws Error when interval < 1 or depth < 0.
  WindowedDeepCache(int interval, int depth, int start_step, int end_step);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  int interval_;
  int depth_;
  int start_step_;
  int end_step_;
};

}  // namespace refrain::diffusion
