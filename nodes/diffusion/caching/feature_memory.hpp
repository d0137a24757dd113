#pragma once
// What a run keeps of earlier evaluations.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/unet.hpp>

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace refrain::diffusion {

/// The last few values of one tensor, newest first.
class History {
 public:
  explicit History(int capacity) : capacity_(static_cast<std::size_t>(capacity)) {}

  std::size_t size() const { return values_.size(); }
  void push(at::Tensor value);
  /// Lets the oldest go where the next push would, so that it isn't held beside its successor's computation.
  void make_room();
  void clear() { values_.clear(); }
  /// The newest, or with weights (newest first) their sum, taken in float32. Needs as many values as weights.
  at::Tensor estimate(std::span<const double> weights) const;

 private:
  std::size_t capacity_;
  std::vector<at::Tensor> values_;
};

/// Everything about an input that kept tensors depend on, but its values.
struct InputShape {
  std::vector<std::int64_t> latent, context;
  at::ScalarType dtype;
  at::Device device;

  static InputShape of(const UNetInput& input);
  friend bool operator==(const InputShape&, const InputShape&) = default;
};

}  // namespace refrain::diffusion
