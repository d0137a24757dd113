#pragma once
// The cached denoiser: asks a policy before every evaluation of the network, keeps what the policy declared, holds the
// safety rules, and writes down what was done.

#include <refrain/diffusion/cache_policy.hpp>
#include <refrain/diffusion/sampling.hpp>
#include <refrain/diffusion/unet.hpp>

#include <memory>
#include <span>
#include <vector>

namespace refrain::diffusion {

/// What a cached denoiser drives: a U-Net, or a stand-in for one. Immutable.
class Network {
 public:
  virtual ~Network();
  virtual int skips() const = 0;
  virtual UNetResult evaluate(const UNetInput& input, const UNetRequest& request) const = 0;
  /// Multiply-accumulates of an evaluation of the whole batch.
  virtual double macs(Evaluate evaluate, const UNetInput& input) const = 0;
};

/// A U-Net as a Network.
std::shared_ptr<const Network> make_network(std::shared_ptr<const UNet> unet);

/// One run: create one for every run, and call it from one thread. Without a policy every evaluation is full, by the
/// same code.
///
/// A full evaluation is forced, whatever the policy says: on the first evaluation; when the shape, dtype or device of
/// an input, or their number, differs from the evaluation before; when what would be reused was never computed, or
/// fewer values are kept than the policy weighs; after 20 evaluations in a row that reused something, unless the policy
/// declared a fixed schedule. Forced evaluations are marked in the report.
class CachedDenoiser {
 public:
  /// Throws ModelError when the policy needs what the network can't give (a depth outside 0..S-1).
  CachedDenoiser(std::shared_ptr<const Network> network, std::shared_ptr<const CachePolicy> policy,
                 std::vector<double> sigmas);
  ~CachedDenoiser();
  CachedDenoiser(const CachedDenoiser&) = delete;
  CachedDenoiser& operator=(const CachedDenoiser&) = delete;

  /// One evaluation under one decision. Usually one input, conditional and unconditional halves in one batch; several
  /// where they can't be batched, each with a cache of its own. Returns their predictions, in order.
  /// Throws Error when the policy decides what can't be done.
  std::vector<at::Tensor> evaluate(std::span<const UNetInput> inputs, float sigma, Place place);

  /// The actions so far.
  const SamplingReport& report() const { return report_; }

 private:
  struct Memory;

  Moment moment(float sigma, Place place) const;
  void check(const Decision& decision) const;
  bool must_be_full(const Decision& decision) const;
  std::vector<at::Tensor> carry_out(const Decision& decision, std::span<const UNetInput> inputs);
  void record(const Action& action, std::span<const UNetInput> inputs);

  std::shared_ptr<const Network> network_;
  std::shared_ptr<const CachePolicy> policy_;
  std::unique_ptr<CacheSession> session_;
  Needs needs_;
  std::unique_ptr<Memory> memory_;
  int steps_ = 0;
  int evaluation_ = 0;
  int reuses_ = 0;  // in a row
  SamplingReport report_;
};

}  // namespace refrain::diffusion
