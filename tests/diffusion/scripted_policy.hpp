#pragma once
// Policies of a few lines, and runs of them around the stand-in network.

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <refrain/diffusion/cached_denoiser.hpp>
#include <refrain/diffusion/error.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion::testing {

/// A policy of a few lines: what it needs and what it decides.
class ScriptedPolicy final : public CachePolicy {
 public:
  using Decide = std::function<Decision(const Moment&)>;
  ScriptedPolicy(Needs needs, Decide decide) : needs_(std::move(needs)), decide_(std::move(decide)) {}

  std::string describe() const override { return "scripted"; }
  std::unique_ptr<CacheSession> begin(const Run&) const override { return std::make_unique<Session>(*this); }

  mutable std::vector<Moment> moments;
  mutable std::vector<Outcome> outcomes;

 private:
  class Session final : public CacheSession {
   public:
    explicit Session(const ScriptedPolicy& policy) : policy_(policy) {}
    Needs needs() const override { return policy_.needs_; }
    Decision decide(const Moment& moment) override {
      policy_.moments.push_back(moment);
      return policy_.decide_(moment);
    }
    void observe(const Outcome& outcome) override { policy_.outcomes.push_back(outcome); }

   private:
    const ScriptedPolicy& policy_;
  };

  Needs needs_;
  Decide decide_;
};

inline std::shared_ptr<ScriptedPolicy> script(Needs needs, ScriptedPolicy::Decide decide) {
  return std::make_shared<ScriptedPolicy>(std::move(needs), std::move(decide));
}

inline UNetInput input(double value, std::int64_t pictures = 2, at::ScalarType dtype = at::kFloat) {
  const auto options = at::TensorOptions(dtype);
  return {at::full({pictures, 4, 3, 5}, value, options), at::full({pictures}, 10.0, at::kFloat),
          at::full({pictures, 2, 6}, 0.25, options)};
}

inline std::vector<double> sigmas(int steps) {
  std::vector<double> list;
  for (int i = steps; i >= 0; --i) list.push_back(i);
  return list;
}

/// A run of `steps` evaluations, one a step, over inputs that change.
inline std::vector<at::Tensor> run(CachedDenoiser& denoiser, int steps) {
  std::vector<at::Tensor> predictions;
  for (int step = 0; step < steps; ++step) {
    const UNetInput x = input(1.0 / (step + 1));
    predictions.push_back(denoiser.evaluate({&x, 1}, static_cast<float>(steps - step), {step, 0}).front());
  }
  return predictions;
}

/// "F" for full, the depth for deep, "e" for a reused encoder, "." for nothing; lower case where it was forced.
inline std::string actions(const CachedDenoiser& denoiser) {
  std::string written;
  for (const Action& action : denoiser.report().actions) {
    const Evaluate& evaluate = action.decision.evaluate;
    if (evaluate.kind == Evaluate::Kind::full) written += action.forced ? 'f' : 'F';
    if (evaluate.kind == Evaluate::Kind::deep) written += std::to_string(evaluate.depth);
    if (evaluate.kind == Evaluate::Kind::encoder_reused) written += 'e';
    if (evaluate.kind == Evaluate::Kind::nothing) written += '.';
  }
  return written;
}

template <typename Action>
std::string code_of(Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.code();
  }
  return "no error";
}

}  // namespace refrain::diffusion::testing
