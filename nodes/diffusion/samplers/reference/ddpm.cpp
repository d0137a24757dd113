// Ancestral sampling. Denoising Diffusion Probabilistic Models. Ho, Jain, Abbeel. NeurIPS 2020, arXiv:2006.11239,
// algorithm 2 by eq. 7, over a subset of the training steps.

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones_like.h>

#include <utility>

#include "samplers/reference/reference_run.hpp"

namespace refrain::diffusion {

namespace {

struct Step {
  at::Tensor next;
  at::Tensor denoised;
};

Step ermongroup_step(ReferenceRun& run, const at::Tensor& x, const at::Tensor& e, int step) {
  const at::Tensor a = run.alpha(step), next = run.next_in_list(step);
  const at::Tensor beta = 1 - a / next;
  // Clipped always: the original has no switch for it here.
  const at::Tensor x0 = ((1.0 / a).sqrt() * x - (1.0 / a - 1).sqrt() * e).clamp(-1, 1);
  const at::Tensor mean = ((next.sqrt() * beta) * x0 + ((1 - beta).sqrt() * (1 - next)) * x) / (1.0 - a);
  const at::Tensor noise = run.noise(x);
  if (run.timestep(step) == 0) return {mean, x0};
  return {mean + (0.5 * beta.log()).exp() * noise, x0};
}

Step diffusers_step(const ReferenceSampler& sampler, ReferenceRun& run, const at::Tensor& x, const at::Tensor& e,
                    int step) {
  constexpr double kLeastVariance = 1e-20;
  const bool last = step + 1 == run.steps();
  const at::Tensor a = run.alpha(step);
  const at::Tensor next = last ? at::ones_like(a) : run.next_in_list(step);
  const at::Tensor b = 1 - a, next_b = 1 - next;
  const at::Tensor ratio = a / next, beta = 1 - ratio;
  at::Tensor x0 = (x - b.sqrt() * e) / a.sqrt();
  if (sampler.clip) x0 = x0.clamp(-1, 1);
  const at::Tensor mean = (next.sqrt() * beta / b) * x0 + (ratio.sqrt() * next_b / b) * x;
  if (run.timestep(step) == 0) return {mean, x0};
  const at::Tensor noise = run.noise(x);
  const bool large = sampler.variance == ReferenceSampler::Variance::fixed_large;
  const at::Tensor variance = large ? beta : ((next_b / b) * beta).clamp_min(kLeastVariance);
  return {mean + variance.sqrt() * noise, x0};
}

}  // namespace

at::Tensor run_ddpm(const ReferenceSampler& sampler, ReferenceRun& run, at::Tensor x) {
  for (int i = 0; i < run.steps(); ++i) {
    const at::Tensor e = run.prediction(x, i, {i, 0});
    Step step = sampler.convention == Convention::ermongroup ? ermongroup_step(run, x, e, i)
                                                             : diffusers_step(sampler, run, x, e, i);
    run.report(i, x, step.denoised);
    x = std::move(step.next);
  }
  return x;
}

}  // namespace refrain::diffusion
