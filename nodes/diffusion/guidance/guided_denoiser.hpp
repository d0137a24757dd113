#pragma once
// The denoiser of a model under classifier-free guidance.
// Classifier-Free Diffusion Guidance. Ho, Salimans. 2022, arXiv:2207.12598, eq. 6, on the denoised latents.

#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <vector>

#include "condition_batches.hpp"

namespace refrain::diffusion {

/// D(x; s) = U + cfg * (P - U), where P and U are what the model's prediction at x / sqrt(s^2 + 1), t(s) says of the
/// picture, mostly x - s * eps(x / sqrt(s^2 + 1), t(s)), under the positive and the negative conditions, each cell's
/// the mean over those that hold there and now, by strength; 0 where none does. With cfg = 1 the negative ones aren't
/// run, unless the sampler asks for them. x and all sums are float32; the network runs in the model's placement. Refers
/// to `network`, which must live longer.
class GuidedDenoiser {
 public:
  /// For latents of N = `pictures`. Throws Error when a list that is needed is empty.
  GuidedDenoiser(const Model& model, PreparedConditions conditions, double cfg, std::int64_t pictures,
                 CachedDenoiser& network, Frequencies frequencies = Frequencies::original);

  at::Tensor operator()(const at::Tensor& x, float sigma, Place place);

 private:
  const std::vector<ConditionBatch>& batches_at(float sigma, bool both);

  Model model_;
  PreparedConditions conditions_;
  double cfg_;
  std::int64_t pictures_;
  std::vector<ConditionBatch::Entry> running_;  // what batches_ is for
  std::vector<ConditionBatch> batches_;
  std::uint64_t batchings_ = 0;  // how often they were made
  CachedDenoiser& network_;
  Frequencies frequencies_;
};

}  // namespace refrain::diffusion
