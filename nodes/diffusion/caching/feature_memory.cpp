#include "feature_memory.hpp"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <utility>

namespace refrain::diffusion {

void History::make_room() {
  if (values_.size() == capacity_) values_.pop_back();
}

void History::push(at::Tensor value) {
  make_room();
  values_.insert(values_.begin(), std::move(value));
}

at::Tensor History::estimate(std::span<const double> weights) const {
  if (weights.empty()) return values_.front();
  at::Tensor sum = values_.front().to(at::kFloat) * weights[0];
  for (std::size_t i = 1; i < weights.size(); ++i) sum = sum + values_[i].to(at::kFloat) * weights[i];
  return sum.to(values_.front().scalar_type());
}

InputShape InputShape::of(const UNetInput& input) {
  return {input.latent.sizes().vec(), input.context.sizes().vec(), input.latent.scalar_type(), input.latent.device()};
}

}  // namespace refrain::diffusion
