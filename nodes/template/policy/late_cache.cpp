#include <refrain/plugin.hpp>

#include <refrain/diffusion/cache_policy.hpp>
#include <refrain/diffusion/error.hpp>

namespace {

using namespace refrain;

/// The state of one sampling run; this policy needs none beside its settings.
class LateSession final : public diffusion::CacheSession {
 public:
  LateSession(double start, int depth) : start_(start), depth_(depth) {}

  /// What must be kept from full evaluations: the feature at our depth.
  diffusion::Needs needs() const override { return {.depths = {depth_}}; }

  /// Everything at first; later everything at even steps, and at odd ones the units shallower than our depth.
  diffusion::Decision decide(const diffusion::Moment& moment) override {
    const bool reuse = moment.progress >= start_ && moment.step % 2 == 1;
    return reuse ? diffusion::Decision::deep(depth_) : diffusion::Decision::full();
  }

 private:
  double start_;
  int depth_;
};

/// Leaves the start of a run alone, where the picture takes shape, and reuses at every second step after it.
class LatePolicy final : public diffusion::CachePolicy {
 public:
  LatePolicy(double start, int depth) : start_(start), depth_(depth) {}

  std::string describe() const override {
    return "late, from " + std::to_string(start_) + ", depth " + std::to_string(depth_);
  }

  std::unique_ptr<diffusion::CacheSession> begin(const diffusion::Run& run) const override {
    if (depth_ >= run.skips) {
      throw diffusion::ModelError("no_such_depth", "LateCache: depth " + std::to_string(depth_) +
                                                       " is too deep; this " + "model has 0 to " +
                                                       std::to_string(run.skips - 1));
    }
    return std::make_unique<LateSession>(start_, depth_);
  }

 private:
  double start_;
  int depth_;
};

/// The node: makes the policy out of its parameters.
class LateCache final : public Node {
 public:
  static constexpr Param<double> start{"start", 0.4, {0.0, 1.0, 0.05}, "part of the run that is computed whole"};
  static constexpr Param<int> depth{"depth", 0, {0, 99}, "units that a reused step still computes, less one"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY"};

  static Schema schema() {
    return {"LateCache",
            "refrain/caching",
            "Reuses at every second step, once the picture has taken shape.",
            {start, depth},
            {policy}};
  }

  void run(Context& ctx) override { ctx.set(policy, std::make_shared<LatePolicy>(ctx[start], ctx[depth])); }
};

}  // namespace

REFRAIN_PLUGIN("late_cache", "1.0.0", LateCache)
