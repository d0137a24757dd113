#include <refrain/diffusion/weights.hpp>

#include <refrain/diffusion/error.hpp>

#include <sstream>
#include <utility>

namespace refrain::diffusion {

WeightSource::~WeightSource() = default;
void WeightSource::give_back(std::string_view) const {}
void WeightSource::read_ahead() const {}

Weights::Weights(std::shared_ptr<const WeightSource> source, Placement placement, std::string prefix)
    : source_(std::move(source)), placement_(placement), prefix_(std::move(prefix)) {
  if (placement_.device.is_cpu() && placement_.dtype == at::kHalf) {
    throw ModelError("dtype_unsupported",
                     "computing in fp16 on the CPU is not supported: choose fp32 or bf16 (a file "
                     "that holds fp16 loads with either)");
  }
}

Weights Weights::operator/(std::string_view child) const { return {source_, placement_, path(child)}; }
Weights Weights::operator/(int child) const { return *this / std::to_string(child); }

std::string Weights::path(std::string_view leaf) const {
  return prefix_.empty() ? std::string(leaf) : prefix_ + "." + std::string(leaf);
}

bool Weights::has(std::string_view leaf) const { return source_->tensors().contains(path(leaf)); }

std::vector<std::int64_t> Weights::shape(std::string_view leaf) const {
  const auto place = source_->tensors().find(path(leaf));
  return place == source_->tensors().end() ? std::vector<std::int64_t>{} : place->second.shape;
}

at::Tensor Weights::raw(std::string_view leaf, at::IntArrayRef shape) const {
  const std::string name = path(leaf);
  const auto place = source_->tensors().find(name);
  std::ostringstream wanted;
  wanted << shape;
  if (place == source_->tensors().end()) {
    throw ModelError("weight_missing", source_->name() + " lacks the tensor '" + name + "' of shape " + wanted.str() +
                                           "; the file is incomplete or of another kind of model");
  }
  if (at::IntArrayRef(place->second.shape) != shape) {
    std::ostringstream found;
    found << at::IntArrayRef(place->second.shape);
    throw ModelError("weight_shape", source_->name() + ": tensor '" + name + "' has the shape " + found.str() +
                                         " where the model needs " + wanted.str());
  }
  return source_->tensor(name);
}

at::Tensor Weights::get(std::string_view leaf, at::IntArrayRef shape) const {
  const at::Tensor stored = raw(leaf, shape);
  at::Tensor placed = stored.to(placement_.device, placement_.dtype);
  if (!placed.is_same(stored)) give_back(leaf);
  return placed;
}

void Weights::give_back(std::string_view leaf) const { source_->give_back(path(leaf)); }

}  // namespace refrain::diffusion
