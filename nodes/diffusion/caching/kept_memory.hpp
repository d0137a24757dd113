#pragma once
// What a run keeps of earlier evaluations.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/cached_denoiser.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace refrain::diffusion {

/// The last few values of one tensor, newest first.
class History {
 public:
  explicit History(int capacity) : capacity_(static_cast<std::size_t>(capacity)) {}

  std::size_t size() const { return values_.size(); }
  /// Keeps no more than the value itself: a view of something larger is copied.
  void push(at::Tensor value);
  /// Lets the oldest go where the next push would, so that it isn't held beside its successor's computation.
  void make_room();
  /// The newest, or with weights (newest first) their sum, taken in float32. Needs as many values as weights.
  at::Tensor estimate(std::span<const double> weights) const;
  const std::vector<at::Tensor>& values() const { return values_; }

 private:
  std::size_t capacity_;
  std::vector<at::Tensor> values_;
};

/// Counts the bytes of storage behind tensors, shared storage once.
class ByteCount {
 public:
  void add(const at::Tensor& tensor);
  std::int64_t bytes() const { return bytes_; }

 private:
  std::set<const void*> seen_;
  std::int64_t bytes_ = 0;
};

/// The cache of one stage of a step, or of all.
struct StageMemory {
  /// Of one input: batched or separate, each has its own.
  struct Branch {
    std::vector<History> features;  // one for each declared depth
    std::vector<History> targets;   // one for each declared target; those of the network's space are filled
    EncoderOutput encoder;
  };

  std::vector<Branch> branches;
  std::vector<History> solver_targets;  // one for each declared target; those of the solver's space are filled
  std::vector<std::vector<Point>> feature_points;  // by declared depth, newest first
  std::vector<Point> output_points;
};

/// Everything about a question that kept tensors depend on, but the values of its latents.
class Fingerprint {
 public:
  Fingerprint() = default;
  Fingerprint(const Question& question, std::uint64_t revision);
  /// Conditions are compared by identity, and where that differs by value.
  bool matches(const Fingerprint& other) const;

 private:
  struct Input {
    std::vector<std::int64_t> latent;
    at::ScalarType dtype;
    at::Device device;
    at::Tensor context;
    std::vector<bool> patches;  // which hold: a run's are the same, but some hold for a part of it only
  };
  std::vector<Input> inputs_;
  std::uint64_t revision_ = 0;
  std::uint64_t conditions_ = 0;
};

/// All that is kept between evaluations for a policy, by stage.
class KeptMemory {
 public:
  explicit KeptMemory(const Needs& needs) : needs_(needs) {}

  /// Forgets everything where the question is of another kind than the last one. Returns whether it was.
  bool fit(const Question& question, std::uint64_t revision);
  void forget();
  /// Of the stage that a question asks for; empty where it was never computed.
  StageMemory& stage(int stage);
  /// The same; null where it was never asked for.
  const StageMemory* find(int stage) const;
  /// Which declared target this is. Throws Error when it was not declared.
  std::size_t index_of(Estimate::Target target) const;
  void count(ByteCount& bytes) const;

 private:
  std::size_t place(int stage) const { return needs_.stages == Stages::shared ? 0 : static_cast<std::size_t>(stage); }

  Needs needs_;
  Fingerprint fingerprint_;
  std::size_t inputs_ = 0;
  std::vector<StageMemory> stages_;
};

/// Puts a point first and drops those beyond the length of the history.
void push_point(std::vector<Point>& points, const Point& point, int history);

}  // namespace refrain::diffusion
