#pragma once
// The cache policies whose decisions are a fixed schedule. Those that watch the run are in adaptive_policies.hpp, those
// made of others in composed_policies.hpp. Others live in node libraries of anybody's.
// DeepCache: Accelerating Diffusion Models for Free. Ma, Fang, Wang. CVPR 2024, arXiv:2312.00858.

#include <refrain/diffusion/cache_policy.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace refrain::diffusion {

/// Every evaluation is full: sampling as it is without a cache.
class NoCache final : public CachePolicy {
 public:
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;
};

/// Uniform 1:N of the paper's section 3.3: full at the steps 0, N, 2N, ..., Deep(depth) at the others.
/// Steps are the solver's. Both evaluations of a Heun step do the same, so that the share of full evaluations is 1/N
/// for every sampler, and a full step's second evaluation, at the next step's sigma, leaves the freshest cache to
/// reuse.
class UniformCache final : public CachePolicy {
 public:
  /// Throws Error when interval < 1 or depth < 0. Interval 1 never reuses anything.
  UniformCache(int interval, int depth);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  int interval_;
  int depth_;
};

/// Full at the listed solver steps and at the first one, Deep(depth) at the others. Steps past a run's end are ignored.
class ListedCache final : public CachePolicy {
 public:
  /// `steps` from 0, in any order. Throws Error when a step or the depth is negative.
  ListedCache(std::vector<int> steps, int depth);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  std::vector<int> steps_;  // rising, each once
  int depth_;
};

/// The schedule around a center, of which there are two.
enum class CenteredForm : std::uint8_t {
  reference,  ///< what the authors' code computes, for all published pictures: powers of negative numbers are complex
  paper,      ///< equation 7 as written, the powers taken with their sign
};

/// Full steps of the non-uniform schedule, from 0: ceil(steps / interval) of them, densest around `center`.
/// reference: horseee/DeepCache, DeepCache/sd/pipeline_stable_diffusion.py (sample_from_quad_center), which lowers the
/// power by 0.02 until the number comes out right. Throws Error "cache_centered" where that would need a power of 1 or
/// less. paper: eq. 7; steps that coincide are one, so there may be fewer. A step outside the run has no effect.
std::vector<int> centered_schedule(int steps, int interval, int center, double power, CenteredForm form);

/// The paper's non-uniform policy (section 3.3, eq. 7): full at centered_schedule(), Deep(depth) at the others.
class NonUniformCache final : public CachePolicy {
 public:
  /// Throws Error when interval < 1, depth < 0 or power <= 0.
  NonUniformCache(int interval, int depth, int center, double power, CenteredForm form);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  int interval_;
  int depth_;
  int center_;
  double power_;
  CenteredForm form_;
};

/// Encoder propagation: the whole U-Net at the key steps and the first; at the others the decoder alone, with the time
/// embedding of the step, on the skips and the middle output of the last key step.
/// Faster Diffusion: Rethinking the Role of the Encoder for Diffusion Model Inference. Li et al. NeurIPS 2024,
/// arXiv:2312.09608, section 3.2. Neither its parallel decoding nor its prior noise injection is done: this is its
/// schedule, and what it reuses.
class EncoderPropagation final : public CachePolicy {
 public:
  /// `key_steps` from 0, in any order. Throws Error when one is negative.
  explicit EncoderPropagation(std::vector<int> key_steps);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  std::vector<int> key_steps_;
};

/// Which forecast TaylorCache makes of the feature h_k.
struct Forecast {
  enum class Variable : std::uint8_t {
    step,     ///< the solver's step, as published
    log_snr,  ///< log(1 / sigma^2): where the model's noise level really is
  };
  enum class Form : std::uint8_t {
    taylor,  ///< a Taylor series of backward differences, as published; for order 2 it doesn't pass through its points
    newton,  ///< the polynomial through the last values
  };
  int order = 1;  ///< 0 (the last value) to 2
  Variable variable = Variable::step;
  Form form = Form::taylor;
};

/// Weights of values known at `points` (newest first) that forecast the value at `at`: of points that coincide the
/// newest counts, and with fewer points than order + 1 the order is lower. Empty for no points.
std::vector<double> forecast_weights(const std::vector<double>& points, double at, int order, Forecast::Form form);

/// TaylorSeer's schedule and forecast, applied to the feature h_k: full for `warm_up` steps and then every `interval`
/// steps, Deep(depth) around a forecast feature between.
/// From Reusing to Forecasting: Accelerating Diffusion Models with TaylorSeers. Liu et al. ICCV 2025,
/// arXiv:2503.06923, eq. 5; Shenyi-Z/TaylorSeer, TaylorSeer-DiT/taylor_utils and cache_functions/cal_type.py.
class TaylorCache final : public CachePolicy {
 public:
  /// Throws Error when interval < 1, depth < 0, warm_up < 1 or the order is not 0 to 2.
  TaylorCache(int interval, int depth, int warm_up, Forecast forecast);
  std::string describe() const override;
  std::unique_ptr<CacheSession> begin(const Run& run) const override;

 private:
  int interval_;
  int depth_;
  int warm_up_;
  Forecast forecast_;
};

}  // namespace refrain::diffusion
