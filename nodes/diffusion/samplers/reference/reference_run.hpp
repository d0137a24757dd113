#pragma once
// What the references' samplers share: the state in their own scale, x = sqrt(a) x0 + sqrt(1 - a) noise, and the way
// between it and the denoiser's, x0 + sigma noise.

#include <ATen/core/Generator.h>
#include <refrain/diffusion/reference_sampling.hpp>

#include <vector>

namespace refrain::diffusion {

/// One run of a reference's sampler. Coefficients are [1, 1, 1, 1] float32 tensors, as the originals have them: their
/// arithmetic is the originals', element by element.
class ReferenceRun {
 public:
  ReferenceRun(const ReferenceSampler& sampler, const Denoiser& denoise, const std::vector<float>& sigmas,
               const SamplerOptions& options, const at::Device& device);

  int steps() const { return static_cast<int>(timesteps_.size()); }
  int timestep(int step) const { return timesteps_[step]; }
  /// The state at the first step, from x at sigmas[0].
  at::Tensor start(const at::Tensor& x) const;
  /// The network's prediction of the noise in x, at a step of the run.
  at::Tensor prediction(const at::Tensor& x, int step, Place place) const;
  /// Training steps between two of diffusers' steps: T / S.
  int stride() const { return static_cast<int>(alphas_.size(0)) / steps(); }
  /// a at a training step.
  at::Tensor alpha_at(int timestep) const { return alphas_.narrow(0, timestep, 1).view({1, 1, 1, 1}); }
  /// a at a step of the run.
  at::Tensor alpha(int step) const;
  /// a' after a step: that of the next in the list, or the end's.
  at::Tensor next_in_list(int step) const;
  /// a' as diffusers has it: that of the training step T / S below, whatever the list says.
  at::Tensor next_by_stride(int step) const;
  /// The next noise of the run.
  at::Tensor noise(const at::Tensor& x);
  /// Tells the caller that a step is done.
  void report(int step, const at::Tensor& x, const at::Tensor& denoised) const;

 private:
  at::Tensor end() const;

  const Denoiser& denoise_;
  const std::vector<float>& sigmas_;
  const SamplerOptions& options_;
  at::Tensor alphas_;
  std::vector<int> timesteps_;
  at::Generator generator_;
  bool started_ = false;
};

at::Tensor run_ddim(const ReferenceSampler& sampler, ReferenceRun& run, at::Tensor x);
at::Tensor run_plms(const ReferenceSampler& sampler, ReferenceRun& run, at::Tensor x);
at::Tensor run_ddpm(const ReferenceSampler& sampler, ReferenceRun& run, at::Tensor x);

}  // namespace refrain::diffusion
