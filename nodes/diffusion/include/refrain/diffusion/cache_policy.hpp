#pragma once
// What a cache policy is. A policy says, at every evaluation of the network, what to compute and what to put in place
// of what is not computed. This header needs nothing but the standard library. DeepCache: Accelerating Diffusion Models
// for Free. Ma, Fang, Wang. CVPR 2024, arXiv:2312.00858.
//
// One depth for every U-Net: S skips, s_0 = the output of conv_in, then one for every encoder layer. Deep(k) runs
// encoder units 0..k, takes the tensor h_k that entered decoder unit S-1-k at an earlier evaluation (before it is
// concatenated with skip k), and runs decoder units S-1-k .. S-1 and the head.
//
// Two spaces: the network's, where its input x / sqrt(1 + sigma^2) and its prediction (noise, for most) live, both
// halves of guidance in one batch; and the solver's, where x and the denoised latent D(x; sigma) after guidance live.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// What part of the network an evaluation computes.
struct Evaluate {
  enum class Kind : std::uint8_t {
    full,            ///< everything
    deep,            ///< the units shallower than `depth`, around a reused h_depth
    encoder_reused,  ///< the decoder, on the skips and middle output of an earlier full evaluation
    nothing,         ///< nothing: the result itself is estimated
  };
  Kind kind = Kind::full;
  int depth = 0;  ///< k, for deep

  static constexpr Evaluate full() { return {}; }
  static constexpr Evaluate deep(int depth) { return {Kind::deep, depth}; }
  static constexpr Evaluate encoder_reused() { return {Kind::encoder_reused, 0}; }
  static constexpr Evaluate nothing() { return {Kind::nothing, 0}; }
  friend constexpr bool operator==(const Evaluate&, const Evaluate&) = default;
};

/// "full", "deep(2)", "encoder_reused" or "nothing".
std::string to_string(const Evaluate& evaluate);

/// What stands in for what is not computed: the last kept value, or a linear combination over the kept history.
struct Estimate {
  enum class Target : std::uint8_t {
    feature,     ///< h_k, for Evaluate::deep; where nothing runs it means the prediction
    prediction,  ///< what the network gives, each half of guidance for itself
    residual,    ///< prediction - network input, added to the new input: the reuse rule of EasyCache
    denoised,    ///< D(x; sigma) after guidance, the "x0" of the solver
    change,      ///< D(x; sigma) - x after guidance, added to the new x
    /// The residuals of all conditions of a batch, all added to the new input of each: what ComfyUI 0.3.64 reuses under
    /// guidance, where it takes the batch for one condition. For several pictures the same as residual: there it fails.
    mixed_residual,
  };
  Target target = Target::feature;
  std::vector<double> weights = {};  ///< newest first; empty: the newest as it is. Sums are taken in float32

  static Estimate last() { return {}; }
  friend bool operator==(const Estimate&, const Estimate&) = default;
};

/// "feature", "prediction", "residual", "denoised", "change" or "mixed_residual".
std::string to_string(Estimate::Target target);

/// A policy's answer for one evaluation.
struct Decision {
  Evaluate evaluate;
  Estimate estimate;
  std::string reason = {};  ///< for reports; empty where there is nothing to say

  static Decision full(std::string reason = {}) { return {Evaluate::full(), {}, std::move(reason)}; }
  static Decision deep(int depth, std::vector<double> weights = {}) {
    return {Evaluate::deep(depth), {Estimate::Target::feature, std::move(weights)}};
  }
  static Decision encoder_reused() { return {Evaluate::encoder_reused(), {}}; }
  static Decision nothing(Estimate::Target target, std::vector<double> weights = {}) {
    return {Evaluate::nothing(), {target, std::move(weights)}};
  }
  Decision because(std::string why) && {
    reason = std::move(why);
    return std::move(*this);
  }
};

/// What a policy knows before the run starts.
struct Run {
  std::vector<double> sigmas;  ///< n + 1 values for n steps, descending, the last usually 0
  int skips = 0;               ///< S of the model: depths are 0 .. S - 1
  /// The model's sigma at a share of its training schedule, as ComfyUI counts: 0 is the start, 1 the end.
  std::function<double(double)> percent_to_sigma = {};

  int steps() const { return sigmas.empty() ? 0 : static_cast<int>(sigmas.size()) - 1; }
  /// percent_to_sigma(percent), or infinity at 0 and 0 at 1. Throws Error where the model has no schedule.
  double sigma_at(double percent) const;
};

/// A change to be measured from evaluation to evaluation: mean |a - b| of the input, and of the output.
struct Measure {
  enum class Space : std::uint8_t { network, solver };
  /// Of the network's batch; in the solver's space there is but one part.
  enum class Part : std::uint8_t {
    batch,        ///< the batch that runs first, usually all
    first,        ///< the pictures of its first condition
    conditional,  ///< the pictures of the first positive condition
  };
  enum class Since : std::uint8_t {
    computed,  ///< the last evaluation that computed anything
    previous,  ///< the last evaluation, also one that computed nothing
  };
  Space space = Space::network;
  Part part = Part::batch;
  Part norm = Part::batch;        ///< what the output's mean |a| is taken over
  Since since = Since::computed;  ///< for the input; outputs are compared with the last computed one
  int stride = 1;                 ///< only every so many rows and columns, for changes

  friend bool operator==(const Measure&, const Measure&) = default;
};

/// Whether the second evaluation of a Heun-like step reuses what the first one computed.
enum class Stages : std::uint8_t {
  own,     ///< each stage has a cache of its own: nothing passes between them
  shared,  ///< evaluations follow each other, whatever their stage
};

/// What a session declares that must be kept: fixed for the run. Nothing undeclared is kept.
struct Needs {
  std::vector<int> depths = {};                ///< whose features h_k
  std::vector<Estimate::Target> targets = {};  ///< what Evaluate::nothing estimates; all but `feature`
  bool encoder = false;  ///< skips and middle output, for Evaluate::encoder_reused; the last ones only
  int history = 1;       ///< how many of each feature and target, newest first
  std::vector<Measure> measures = {};
  Stages stages = Stages::own;
  bool declared_schedule = false;  ///< the decisions are a fixed list: no cap on consecutive reuses
  int most_reuses = 20;            ///< in a row; then a full evaluation is forced, unless the schedule is declared
};

/// When a kept value was computed.
struct Point {
  int step = 0;
  int stage = 0;
  int evaluation = 0;
  double sigma = 0;
};

/// Where in the run an evaluation stands, and what is kept for it. Valid during the call only.
struct Moment {
  int step = 0;        ///< solver step, from 0
  int stage = 0;       ///< evaluation within the step: 1 is the second one of a Heun-like step
  int evaluation = 0;  ///< evaluations since the run began, from 0
  double sigma = 0;
  double progress = 0;        ///< step / steps
  std::vector<int> age = {};  ///< evaluations since h_k was computed, for each declared depth in order; -1: never
  double timestep = 0;        ///< of training, T - 1 at the start to 0
  std::vector<std::vector<Point>> features = {};  ///< where each kept h_k was computed, by declared depth, newest first
  std::vector<Point> outputs = {};                ///< the same for the declared targets
  std::function<std::optional<double>(std::size_t)> measure_input = {};

  /// The declared measure's mean |a - b| of the input; nothing where there is nothing to compare with. Computed here.
  std::optional<double> input_change(std::size_t measure = 0) const {
    return measure_input ? measure_input(measure) : std::nullopt;
  }
};

/// What an evaluation's output tells about a declared measure.
struct OutputMeasure {
  std::optional<double> input;   ///< mean |x - x at the last computed evaluation|
  std::optional<double> change;  ///< mean |y - y at the last computed evaluation|
  double norm = 0;               ///< mean |y|
};

/// What an evaluation did. Valid during the call only.
struct Outcome {
  Decision decision;  ///< what was done; differs from what was asked where safety forced a full one
  bool forced = false;
  double milliseconds = 0;
  double macs = 0;
  std::function<OutputMeasure(std::size_t)> measure_output = {};

  /// Of an evaluation that computed something. Computed here.
  OutputMeasure output(std::size_t measure = 0) const {
    return measure_output ? measure_output(measure) : OutputMeasure{};
  }
};

/// Lives for one sampling run. Called from one thread. What it throws ends the run with an error that names the policy.
/// A call that never returns can't be interrupted: the run hangs until the process is ended (a second Ctrl-C does).
class CacheSession {
 public:
  virtual ~CacheSession();
  virtual Needs needs() const = 0;
  virtual Decision decide(const Moment& moment) = 0;
  /// Called once after every evaluation that decide() was asked about.
  virtual void observe(const Outcome&);
};

/// Immutable, shared: the value on a CACHE_POLICY edge. Any node library may bring one.
class CachePolicy {
 public:
  static constexpr const char* kTypeName = "CACHE_POLICY";
  static constexpr unsigned kTypeLayout = 2;  // of Needs, Moment and Decision, which pass between libraries
  virtual ~CachePolicy();
  /// One line for reports: "uniform, interval 5, depth 0".
  virtual std::string describe() const = 0;
  /// Fresh state for one run. Throws ModelError when the policy can't serve the run (a depth the model lacks, say).
  virtual std::unique_ptr<CacheSession> begin(const Run& run) const = 0;
};

}  // namespace refrain::diffusion
