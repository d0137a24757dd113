// Pseudo linear multistep sampling. Pseudo Numerical Methods for Diffusion Models on Manifolds. Liu, Ren, Lin, Zhao.
// ICLR 2022, arXiv:2202.09778, eq. 9 to 12: Adams-Bashforth on the predictions; the first step, which has no history,
// averages the predictions at both its ends.

#include <ATen/TensorOperators.h>

#include <deque>
#include <utility>

#include "samplers/reference/reference_run.hpp"

namespace refrain::diffusion {

namespace {

constexpr std::size_t kHistory = 3;

/// e' from the prediction and those before it, newest first.
at::Tensor extrapolated(const at::Tensor& e, const std::deque<at::Tensor>& old) {
  if (old.size() == 1) return (3 * e - old[0]) / 2;
  if (old.size() == 2) return (23 * e - 16 * old[0] + 5 * old[1]) / 12;
  return (55 * e - 59 * old[0] + 37 * old[1] - 9 * old[2]) / 24;
}

/// x at a step's end by the prediction e; CompVis' and diffusers' formulas are equal but for rounding and a'.
at::Tensor moved(const ReferenceSampler& sampler, const ReferenceRun& run, const at::Tensor& x, const at::Tensor& e,
                 int step) {
  const at::Tensor a = run.alpha(step);
  if (sampler.convention == Convention::ldm) {
    const at::Tensor next = run.next_in_list(step);
    return next.sqrt() * ((x - (1 - a).sqrt() * e) / a.sqrt()) + (1.0 - next).sqrt() * e;
  }
  const at::Tensor next = run.next_by_stride(step);
  const at::Tensor b = 1 - a, next_b = 1 - next;
  const at::Tensor denominator = a * next_b.sqrt() + (a * b * next).sqrt();
  return (next / a).sqrt() * x - (next - a) * e / denominator;
}

at::Tensor picture(const ReferenceRun& run, const at::Tensor& x, const at::Tensor& e, int step) {
  const at::Tensor a = run.alpha(step);
  return (x - (1 - a).sqrt() * e) / a.sqrt();
}

}  // namespace

at::Tensor run_plms(const ReferenceSampler& sampler, ReferenceRun& run, at::Tensor x) {
  std::deque<at::Tensor> old;
  for (int i = 0; i < run.steps(); ++i) {
    const at::Tensor e = run.prediction(x, i, {i, 0});
    at::Tensor better;
    if (old.empty()) {
      // A run of one step has no next one: CompVis evaluates at the same step again.
      const int next = i + 1 < run.steps() ? i + 1 : i;
      better = (e + run.prediction(moved(sampler, run, x, e, i), next, {i, 1})) / 2;
    } else {
      better = extrapolated(e, old);
    }
    const at::Tensor end = moved(sampler, run, x, better, i);
    run.report(i, x, picture(run, x, better, i));
    old.push_front(e);
    if (old.size() > kHistory) old.pop_back();
    x = end;
  }
  return x;
}

}  // namespace refrain::diffusion
