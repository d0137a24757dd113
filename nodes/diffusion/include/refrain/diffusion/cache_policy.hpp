#pragma once
// Cache policies: what to recompute at each evaluation of a denoising run, what to reuse.
// DeepCache: Accelerating Diffusion Models for Free. Ma, Fang, Wang. CVPR 2024, arXiv:2312.00858.
//
// One depth for every U-Net: S skips, s_0 = the output of conv_in, then one for every encoder layer. Deep(k) runs
// encoder units 0..k, takes the tensor h_k that entered decoder unit S-1-k at an earlier evaluation (before it is
// concatenated with skip k), and runs decoder units S-1-k .. S-1 and the head.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace refrain::diffusion {

/// What part of the network an evaluation computes.
struct Evaluate {
  enum class Kind : std::uint8_t {
    full,            ///< everything
    deep,            ///< the units shallower than `depth`, around a reused h_depth
    encoder_reused,  ///< the decoder, on the skips and middle output of an earlier full evaluation
    nothing,         ///< nothing: the prediction itself is estimated
  };
  Kind kind = Kind::full;
  int depth = 0;  ///< k, for deep

  static constexpr Evaluate full() { return {}; }
  static constexpr Evaluate deep(int depth) { return {Kind::deep, depth}; }
  static constexpr Evaluate encoder_reused() { return {Kind::encoder_reused, 0}; }
  static constexpr Evaluate nothing() { return {Kind::nothing, 0}; }
  friend constexpr bool operator==(const Evaluate&, const Evaluate&) = default;
};

/// What stands in for what is not computed: the last kept value, or a linear combination over the kept history.
struct Estimate {
  enum class Target : std::uint8_t { feature, prediction, denoised, residual };
  Target target = Target::feature;
  std::vector<double> weights;  ///< newest first; empty: the newest as it is

  static Estimate last() { return {}; }
};

/// A policy's answer for one evaluation.
struct Decision {
  Evaluate evaluate;
  Estimate estimate;

  static Decision full() { return {}; }
  static Decision deep(int depth) { return {Evaluate::deep(depth), {}}; }
};

/// What a policy knows before the run starts.
struct Run {
  std::vector<double> sigmas;  ///< n + 1 values for n steps, descending, the last usually 0
  int skips = 0;               ///< S of the model: depths are 0 .. S - 1

  int steps() const { return sigmas.empty() ? 0 : static_cast<int>(sigmas.size()) - 1; }
};

/// What a session declares that must be kept: fixed for the run. Nothing undeclared is kept.
struct Needs {
  std::vector<int> depths;         ///< whose features h_k
  int history = 1;                 ///< how many of each, newest first
  bool predictions = false;        ///< of the whole network, for Evaluate::nothing
  bool declared_schedule = false;  ///< the decisions are a fixed list: no cap on consecutive reuses
};

/// Where in the run an evaluation stands.
struct Moment {
  int step = 0;        ///< solver step, from 0
  int stage = 0;       ///< evaluation within the step: 1 is the second one of a Heun-like step
  int evaluation = 0;  ///< evaluations since the run began, from 0
  double sigma = 0;
  double progress = 0;   ///< step / steps
  std::vector<int> age;  ///< evaluations since h_k was computed, for each declared depth in order; -1: never
};

/// What an evaluation cost.
struct Outcome {
  Decision decision;  ///< what was done; differs from what was asked where safety forced a full one
  bool forced = false;
  double milliseconds = 0;
  double macs = 0;
};

/// Lives for one sampling run. Called from one thread.
class CacheSession {
 public:
  virtual ~CacheSession();
  virtual Needs needs() const = 0;
  virtual Decision decide(const Moment& moment) = 0;
  virtual void observe(const Outcome&);
};

/// Immutable, shared: the value on a CACHE_POLICY edge. Any node library may bring one.
class CachePolicy {
 public:
  static constexpr const char* kTypeName = "CACHE_POLICY";
  virtual ~CachePolicy();
  /// One line for reports: "uniform, interval 5, depth 0".
  virtual std::string describe() const = 0;
  /// Fresh state for one run. Throws ModelError when the policy can't serve the run (a depth the model lacks, say).
  virtual std::unique_ptr<CacheSession> begin(const Run& run) const = 0;
};

}  // namespace refrain::diffusion
