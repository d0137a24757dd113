#include <refrain/plugin.hpp>

#include <refrain/diffusion/cache_policy.hpp>

namespace {

using namespace refrain;
using namespace refrain::diffusion;

/// Lives for one sampling run, and decides.
class LateSession final : public CacheSession {
 public:
  LateSession(double start, int depth) : start_(start), depth_(depth) {}

  /// What is kept from evaluation to evaluation: the feature at our depth.
  diffusion::Needs needs() const override { return {.depths = {depth_}}; }

  /// Everything at first, where the picture takes shape; later, at every second step, only what is shallower.
  Decision decide(const Moment& moment) override {
    if (moment.progress < start_) return Decision::full("the start of the run");
    return moment.step % 2 == 1 ? Decision::deep(depth_) : Decision::full();
  }

 private:
  double start_;
  int depth_;
};

/// Immutable, and shared between runs: makes a session for each.
class LatePolicy final : public CachePolicy {
 public:
  LatePolicy(double start, int depth) : start_(start), depth_(depth) {}
  std::string describe() const override { return "late, depth " + std::to_string(depth_); }
  std::unique_ptr<CacheSession> begin(const Run&) const override {
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
  static constexpr Out<CachePolicy> policy{"CACHE_POLICY"};

  static Schema schema() {
    return {
        "LateCache", "refrain/caching", "Reuses at every second step, but for the start.", {start, depth}, {policy}};
  }

  void run(Context& ctx) override { ctx.set(policy, std::make_shared<LatePolicy>(ctx[start], ctx[depth])); }
};

}  // namespace

REFRAIN_PLUGIN("late_cache", "1.0.0", LateCache)
