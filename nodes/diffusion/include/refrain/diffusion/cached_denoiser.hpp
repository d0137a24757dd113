#pragma once
// The cached denoiser: asks a policy before every evaluation of the network, keeps what the policy declared, holds the
// safety rules, and writes down what was done.

#include <refrain/diffusion/cache_policy.hpp>
#include <refrain/diffusion/sampling.hpp>
#include <refrain/diffusion/unet.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace refrain::diffusion {

class KeptMemory;
class Meter;
struct StageMemory;

/// What a cached denoiser drives: a U-Net, or a stand-in for one.
class Network {
 public:
  virtual ~Network();
  virtual int skips() const = 0;
  virtual UNetResult evaluate(const UNetInput& input, const UNetRequest& request) const = 0;
  /// Multiply-accumulates of an evaluation of the whole batch.
  virtual Macs macs(Evaluate evaluate, const UNetInput& input) const = 0;
  /// Another number whenever the same input would give another result: weights, LoRA and its strength, patches.
  virtual std::uint64_t revision() const { return 0; }
};

/// A U-Net as a Network.
std::shared_ptr<const Network> make_network(std::shared_ptr<const UNet> unet);

/// What the solver asks for in one evaluation.
struct Question {
  std::span<const UNetInput> inputs = {};  ///< usually one, conditional and unconditional halves in one batch
  float sigma = 0;
  Place place;
  float timestep = 0;               ///< of training
  at::Tensor x = {};                ///< the solver's latent [N, C, h, w]; undefined where there is none
  std::int64_t pictures = 0;        ///< N: the batch holds as many for each condition; 0: one condition
  std::size_t conditional = 0;      ///< which input holds the first positive condition
  std::int64_t conditional_at = 0;  ///< where its pictures begin there
  std::uint64_t conditions = 0;     ///< another number whenever others hold, or hold elsewhere, than before
};

/// What a question comes to.
struct Answer {
  std::vector<at::Tensor> predictions;  ///< one for each input, in order
  at::Tensor denoised;  ///< defined where the denoised latent itself was estimated: there are no predictions then
};

/// One run: create one for every run, and call it from one thread. Without a policy every evaluation is full, by the
/// same code.
///
/// A full evaluation is forced, whatever the policy says: on the first evaluation, and on the first of every stage of a
/// step unless the policy declared that stages share a cache; when the shape, dtype, device or conditions of an input,
/// their number, the patches that hold or the network's revision differ from the evaluation before, or that one failed;
/// when what would be reused was never computed, or fewer values are kept than the policy weighs; after as many reuses
/// in a row as the policy declared (20), unless it declared a fixed schedule. Forced evaluations are marked in the
/// report.
class CachedDenoiser {
 public:
  /// `percent_to_sigma`: of the model's schedule, for policies that work in a window of it.
  /// Throws ModelError when the policy needs what the network can't give (a depth outside 0..S-1).
  CachedDenoiser(std::shared_ptr<const Network> network, std::shared_ptr<const CachePolicy> policy,
                 std::vector<double> sigmas, std::function<double(double)> percent_to_sigma = {});
  ~CachedDenoiser();
  CachedDenoiser(const CachedDenoiser&) = delete;
  CachedDenoiser& operator=(const CachedDenoiser&) = delete;

  /// One evaluation under one decision. Where inputs can't be batched there are several, each with a cache of its own.
  /// Throws Error when the policy decides what can't be done, or fails; what the network throws passes through.
  Answer evaluate(const Question& question);
  /// The same in the network's space alone: the predictions.
  std::vector<at::Tensor> evaluate(std::span<const UNetInput> inputs, float sigma, Place place);

  /// Tells what guidance made of the answer: D(x; sigma) [N, C, h, w] in the solver's space. To be called after every
  /// answer that has predictions; without it, policies that estimate or measure in the solver's space never reuse.
  void remember(const at::Tensor& denoised);

  /// The actions so far.
  const SamplingReport& report() const { return report_; }

 private:
  struct Pending;

  Moment moment(const Question& question) const;
  Decision ask(const Moment& moment);
  void check(const Decision& decision) const;
  Guard guard_against(const Decision& decision, int stage) const;
  Answer carry_out(const Decision& decision, const Question& question, double& milliseconds);
  Answer estimated(const Estimate& estimate, const Question& question, const StageMemory& memory) const;
  bool recomputes(const Evaluate& evaluate, int depth) const;
  void record(Action action, const Question& question);
  void tell_session();

  std::shared_ptr<const Network> network_;
  std::shared_ptr<const CachePolicy> policy_;
  std::unique_ptr<CacheSession> session_;
  Needs needs_;
  std::unique_ptr<KeptMemory> memory_;
  std::unique_ptr<Meter> meter_;
  std::unique_ptr<Pending> pending_;  // what observe() will be told, once the solver's space is known
  int steps_ = 0;
  int evaluation_ = 0;
  int reuses_ = 0;                   // in a row
  Guard emptied_by_ = Guard::first;  // why nothing is kept; none: something may be
  SamplingReport report_;
};

}  // namespace refrain::diffusion
