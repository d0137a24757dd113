#pragma once
// The noise levels that a model was trained on, in the k-diffusion form: x = x0 + sigma * noise.
// Elucidating the Design Space of Diffusion-Based Generative Models. Karras et al. NeurIPS 2022, arXiv:2206.00364.

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace refrain::diffusion {

/// Discrete training steps 0..T-1 with sigma = sqrt((1 - a) / a). Follows comfy/model_sampling.py
/// (ModelSamplingDiscrete).
class NoiseSchedule {
 public:
  /// betas = linspace(sqrt(first), sqrt(last), steps)^2 in float64; sigmas in float32.
  static NoiseSchedule scaled_linear(double first = 0.00085, double last = 0.012, int steps = 1000);
  /// betas = linspace(first, last, steps) in float64: DDPM's; sigmas in float32.
  static NoiseSchedule linear(double first = 1e-4, double last = 0.02, int steps = 1000);

  const at::Tensor& sigmas() const { return sigmas_; }  ///< [T] float32, ascending
  int steps() const { return static_cast<int>(sigmas_.size(0)); }
  float sigma_min() const { return sigma_min_; }
  float sigma_max() const { return sigma_max_; }
  /// The nearest training step in log sigma.
  float timestep(float sigma) const;
  /// Log-linear interpolation between training steps.
  float sigma(float timestep) const;
  /// The same for many: float32 of any shape.
  at::Tensor sigma(const at::Tensor& timesteps) const;
  /// The sigma at a share of the run: 0 is the start (infinite), 1 the end.
  float percent_to_sigma(double percent) const;

  /// The levels that a model was trained on, whatever was made of them here; with `zero_terminal_snr` those of a model
  /// whose last level is noise alone. Common Diffusion Noise Schedules and Sample Steps are Flawed. Lin et al. WACV
  /// 2024, arXiv:2305.08891, algorithm 1, its last 0 replaced by 4.9e-8.
  NoiseSchedule as_trained(bool zero_terminal_snr) const;
  /// Only every so many of the levels, down from the last: those that a distilled model knows.
  NoiseSchedule distilled(int steps) const;

 private:
  NoiseSchedule() = default;
  explicit NoiseSchedule(const at::Tensor& betas);
  void set(const at::Tensor& sigmas);

  at::Tensor alphas_;  // [T] float64, the products "alpha bar" of the training
  int spacing_ = 1;    // training steps between two levels
  at::Tensor sigmas_;
  at::Tensor log_sigmas_;
  float sigma_min_ = 0, sigma_max_ = 0;
};

/// Sigmas [steps + 1] float32, descending, ending in 0, as ComfyUI's scheduler called `scheduler` chooses them
/// ("normal", "karras", ...). ddim_uniform may give more, beta fewer of them. Throws Error listing those that are
/// registered when there is none of that name.
at::Tensor make_sigmas(const NoiseSchedule& schedule, const std::string& scheduler, int steps);
/// Names of all schedulers, in ComfyUI's order.
const std::vector<std::string>& scheduler_names();

/// Evenly spaced in sigma^(1 / rho), then 0: [steps + 1] float32. Karras et al., eq. 5. Throws Error for rho = 0.
at::Tensor karras_sigmas(int steps, double first, double last, double rho = 7);
/// Evenly spaced in log sigma, then 0: [steps + 1] float32. Throws Error unless both sigmas are positive.
at::Tensor exponential_sigmas(int steps, double first, double last);

}  // namespace refrain::diffusion
