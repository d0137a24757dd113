// DPM-Solver-fast: steps of order 3 as far as the number of evaluations goes, the rest of lower order. As many
// evaluations as a run has steps; the sigmas between the ends are its own.
// DPM-Solver: A Fast ODE Solver for Diffusion Probabilistic Model Sampling in Around 10 Steps. Lu et al. NeurIPS 2022,
// arXiv:2206.00927, section 3.4 and appendix D.4.

#include <ATen/TensorOperators.h>
#include <ATen/ops/linspace.h>

#include "dpm_solver.hpp"
#include "samplers.hpp"

namespace refrain::diffusion {

at::Tensor sample_dpm_fast(const Denoiser& denoise, at::Tensor x, const Sigmas& sigmas, const SamplerOptions& options) {
  const int evaluations = step_count(sigmas);
  if (evaluations == 0) return x;
  const int steps = evaluations / 3 + 1;
  const at::Tensor times = at::linspace(log_snr(sigmas.front()), log_snr(last_positive_sigma(sigmas)), steps + 1,
                                        at::TensorOptions(at::kFloat));
  const float* t = times.const_data_ptr<float>();
  for (int i = 0; i < steps; ++i) {
    // What three do not divide goes into the last step, or into the last two.
    const int left = evaluations - 3 * i;
    const int order = evaluations % 3 == 0 && left <= 3 ? (left == 3 ? 2 : 1) : std::min(left, 3);
    DpmSolverStep step(denoise, x, t[i], i);
    const at::Tensor denoised = step.denoised();
    const at::Tensor next = order == 1   ? step.first_order(t[i + 1])
                            : order == 2 ? step.second_order(t[i + 1])
                                         : step.third_order(t[i + 1]);
    if (options.on_step) options.on_step({i, steps, std::exp(-t[i]), x, denoised});
    x = next;
  }
  return x;
}

}  // namespace refrain::diffusion
