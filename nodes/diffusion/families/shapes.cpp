#include "families/shapes.hpp"

#include <refrain/diffusion/error.hpp>

namespace refrain::diffusion {
namespace {

constexpr std::int64_t kLargest = 1 << 20;

}  // namespace

const TensorInfo* Shapes::find(std::string_view name) const {
  const auto place = source_.tensors().find(prefix_ + std::string(name));
  return place == source_.tensors().end() ? nullptr : &place->second;
}

int Shapes::rank(std::string_view name) const {
  const TensorInfo* info = find(name);
  return info == nullptr ? -1 : static_cast<int>(info->shape.size());
}

int Shapes::size(std::string_view name, std::size_t dimension) const {
  const TensorInfo* info = find(name);
  if (info == nullptr) fail(name, "is missing");
  if (dimension >= info->shape.size() || info->shape[dimension] < 1 || info->shape[dimension] > kLargest) {
    fail(name, "has a shape that no model of this kind has");
  }
  return static_cast<int>(info->shape[dimension]);
}

int Shapes::count(const std::string& list, std::string_view leaf) const {
  int n = 0;
  while (has(list + "." + std::to_string(n) + std::string(leaf))) ++n;
  return n;
}

void Shapes::fail(std::string_view name, const std::string& what) const {
  throw ModelError("model_config", source_.name() + ": tensor '" + prefix_ + std::string(name) + "' " + what +
                                       "; the file is incomplete or of another kind of model");
}

std::size_t bytes_below(const WeightSource& source, std::string_view path, at::ScalarType dtype) {
  std::size_t elements = 0;
  for (auto at = source.tensors().lower_bound(path); at != source.tensors().end() && at->first.starts_with(path);
       ++at) {
    std::size_t size = 1;
    for (const std::int64_t extent : at->second.shape) size *= static_cast<std::size_t>(extent);
    elements += size;
  }
  return elements * c10::elementSize(dtype);
}

}  // namespace refrain::diffusion
