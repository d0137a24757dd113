#pragma once
// The denoiser of a noise-predicting model under classifier-free guidance.
// Classifier-Free Diffusion Guidance. Ho, Salimans. 2022, arXiv:2207.12598, eq. 6, on the denoised latents.

#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <vector>

#include "condition_batches.hpp"

namespace refrain::diffusion {

/// D(x; s) = U + cfg * (P - U), where P and U are x - s * eps(x / sqrt(s^2 + 1), t(s)) under the positive and the
/// negative conditions, each the mean over its entries by strength. With cfg = 1 the negative ones aren't run.
/// x and all sums are float32; the network runs in the model's placement. Refers to `network`, which must live longer.
class GuidedDenoiser {
 public:
  /// Throws Error when a list that is needed is empty.
  GuidedDenoiser(const Model& model, const std::vector<Condition>& positive, const std::vector<Condition>& negative,
                 double cfg, std::int64_t pictures, CachedDenoiser& network);

  at::Tensor operator()(const at::Tensor& x, float sigma, Place place) const;

 private:
  std::shared_ptr<const NoiseSchedule> schedule_;
  Placement placement_;
  double cfg_;
  bool guided_;
  std::vector<ConditionBatch> batches_;
  CachedDenoiser& network_;
};

}  // namespace refrain::diffusion
