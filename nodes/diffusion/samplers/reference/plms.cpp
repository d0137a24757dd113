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

/// From which a to which a' a step goes.
struct Way {
  at::Tensor a;
  at::Tensor next;
};

Way way_of(const ReferenceSampler& sampler, const ReferenceRun& run, int step) {
  return {run.alpha(step), sampler.convention == Convention::ldm ? run.next_in_list(step) : run.next_by_stride(step)};
}

/// The first step once more, with the mean prediction. diffusers counts back from the step that it has reached, which
/// is not where the first one began where steps are unevenly spaced.
Way way_of_first_again(const ReferenceSampler& sampler, const ReferenceRun& run) {
  if (sampler.convention == Convention::ldm) return way_of(sampler, run, 0);
  return {run.alpha_at(run.timestep(1) + run.stride()), run.alpha(1)};
}

/// x at a step's end by the prediction e; CompVis' and diffusers' formulas are equal but for rounding.
at::Tensor moved(const ReferenceSampler& sampler, const Way& way, const at::Tensor& x, const at::Tensor& e) {
  const auto& [a, next] = way;
  if (sampler.convention == Convention::ldm) {
    return next.sqrt() * ((x - (1 - a).sqrt() * e) / a.sqrt()) + (1.0 - next).sqrt() * e;
  }
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
    at::Tensor better = e;
    Way way = way_of(sampler, run, i);
    if (!old.empty()) {
      better = extrapolated(e, old);
    } else if (run.steps() > 1) {
      better = (e + run.prediction(moved(sampler, way, x, e), 1, {0, 1})) / 2;
      way = way_of_first_again(sampler, run);
    } else if (sampler.convention == Convention::ldm) {  // no next step: CompVis evaluates at the same one again
      better = (e + run.prediction(moved(sampler, way, x, e), 0, {0, 1})) / 2;
    }
    const at::Tensor end = moved(sampler, way, x, better);
    run.report(i, x, picture(run, x, better, i));
    old.push_front(e);
    if (old.size() > kHistory) old.pop_back();
    x = end;
  }
  return x;
}

}  // namespace refrain::diffusion
