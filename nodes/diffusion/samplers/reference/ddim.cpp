// Denoising Diffusion Implicit Models. Song, Meng, Ermon. ICLR 2021, arXiv:2010.02502, eq. 12 with sigma of eq. 16.
// The three implementations differ in a', in the order of sums and in when they draw noise.

#include <ATen/TensorOperators.h>

#include <utility>

#include "samplers/reference/reference_run.hpp"

namespace refrain::diffusion {

namespace {

struct Step {
  at::Tensor next;
  at::Tensor denoised;
};

/// The picture in x by the prediction e.
at::Tensor picture(const ReferenceSampler& sampler, const at::Tensor& x, const at::Tensor& e, const at::Tensor& a) {
  const at::Tensor x0 = (x - (1 - a).sqrt() * e) / a.sqrt();
  return sampler.clip ? x0.clamp(-1, 1) : x0;
}

Step ldm_step(const ReferenceSampler& sampler, ReferenceRun& run, const at::Tensor& x, const at::Tensor& e, int step) {
  const at::Tensor a = run.alpha(step), next = run.next_in_list(step);
  // The original's table of sigmas is made in float64 from the float32 alphas.
  const at::Tensor wide = a.to(at::kDouble), wide_next = next.to(at::kDouble);
  const at::Tensor sigma =
      (sampler.eta * ((1 - wide_next) / (1 - wide) * (1 - wide / wide_next)).sqrt()).to(at::kFloat);
  const at::Tensor x0 = picture(sampler, x, e, a);
  const at::Tensor direction = (1.0 - next - sigma.pow(2)).sqrt() * e;
  return {next.sqrt() * x0 + direction + sigma * run.noise(x), x0};
}

Step ermongroup_step(const ReferenceSampler& sampler, ReferenceRun& run, const at::Tensor& x, const at::Tensor& e,
                     int step) {
  const at::Tensor a = run.alpha(step), next = run.next_in_list(step);
  const at::Tensor x0 = picture(sampler, x, e, a);
  const at::Tensor c1 = sampler.eta * ((1 - a / next) * (1 - next) / (1 - a)).sqrt();
  const at::Tensor c2 = ((1 - next) - c1.pow(2)).sqrt();
  return {next.sqrt() * x0 + c1 * run.noise(x) + c2 * e, x0};
}

Step diffusers_step(const ReferenceSampler& sampler, ReferenceRun& run, const at::Tensor& x, const at::Tensor& e,
                    int step) {
  const at::Tensor a = run.alpha(step), next = run.next_by_stride(step);
  const at::Tensor x0 = picture(sampler, x, e, a);
  const at::Tensor variance = ((1 - next) / (1 - a)) * (1 - a / next);
  const at::Tensor sigma = sampler.eta * variance.sqrt();
  const at::Tensor moved = next.sqrt() * x0 + (1 - next - sigma.pow(2)).sqrt() * e;
  return {sampler.eta > 0 ? moved + sigma * run.noise(x) : moved, x0};
}

}  // namespace

at::Tensor run_ddim(const ReferenceSampler& sampler, ReferenceRun& run, at::Tensor x) {
  for (int i = 0; i < run.steps(); ++i) {
    const at::Tensor e = run.prediction(x, i, {i, 0});
    Step step = sampler.convention == Convention::ldm          ? ldm_step(sampler, run, x, e, i)
                : sampler.convention == Convention::ermongroup ? ermongroup_step(sampler, run, x, e, i)
                                                               : diffusers_step(sampler, run, x, e, i);
    run.report(i, x, step.denoised);
    x = std::move(step.next);
  }
  return x;
}

}  // namespace refrain::diffusion
