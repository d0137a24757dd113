#pragma once
// Brownian motion that can be asked for its increment over any interval, in any order, with the same answer.

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

namespace refrain::diffusion {

/// A sample path over [start, end]: intervals are halved until both ends of a question are met, each half's increment
/// drawn given the whole's (the Brownian bridge). The path depends on the seed alone.
/// Scalable Gradients for Stochastic Differential Equations. Li et al. AISTATS 2020, arXiv:2001.01328, section 4; bit
/// for bit that of torchsde 0.2.6's BrownianTree with its default tolerance of 1e-6 and pool of 24.
class BrownianTree {
 public:
  /// The path's values are float32 of `shape`, on the CPU.
  BrownianTree(std::vector<std::int64_t> shape, double start, double end, std::uint64_t seed);
  ~BrownianTree();

  /// W(to) - W(from), start <= from <= to <= end; times beyond the ends are taken for the ends.
  at::Tensor increment(double from, double to);

 private:
  struct Interval;

  at::Tensor drawn(std::uint32_t seed) const;
  void split(Interval& interval);
  const at::Tensor& value(Interval& interval);
  void keep(Interval& interval, at::Tensor value);

  std::vector<std::int64_t> shape_;
  std::uint64_t seed_;
  std::deque<std::unique_ptr<Interval>> intervals_;
  std::deque<Interval*> kept_;  // whose values are in memory, oldest first
};

/// Noise of unit variance for a step between two sigmas, out of one path over all of a run's: steps that divide a
/// longer one have noise that adds up to its.
class BrownianNoise {
 public:
  /// In the shape of `x` and where it is; over the positive ones of `sigmas`.
  BrownianNoise(const at::Tensor& x, std::span<const float> sigmas, std::uint64_t seed);

  at::Tensor between(float sigma, float next);

 private:
  at::Device device_;
  std::unique_ptr<BrownianTree> tree_;  // none where no sigma is positive
};

/// Numbers out of an entropy and a place in a tree, as numpy.random.SeedSequence(entropy, spawn_key, pool_size=24)
/// hands them out (NumPy 1.17 and later; after M. E. O'Neill's seed_seq).
std::array<std::uint32_t, 4> spawned_seeds(std::uint64_t entropy, std::span<const std::uint64_t> spawn_key);

}  // namespace refrain::diffusion
