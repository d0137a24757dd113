#include "golden_vectors.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <refrain/diffusion/weights.hpp>

#include <limits>

namespace refrain::diffusion::testing {

GoldenVectors::GoldenVectors(const std::string& file) {
  const auto source = open_safetensors(golden_path(file));
  for (const auto& [name, info] : source->tensors()) tensors_.emplace(name, source->tensor(name));
  for (const auto& [key, value] : source->metadata()) notes_.emplace(key, value);
}

std::vector<std::string> GoldenVectors::names(const std::string& prefix) const {
  std::vector<std::string> found;
  for (const auto& [name, tensor] : tensors_) {
    if (name.starts_with(prefix)) found.push_back(name.substr(prefix.size()));
  }
  return found;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  if (a.numel() == 0) return 0;
  const at::Tensor reference = b.to(at::kDouble);
  const double scale = b.numel() > 1 ? reference.std().item<double>() : 0;
  return (a.to(at::kDouble) - reference).abs().max().item<double>() / (scale > 0 ? scale : 1);
}

bool identical(const at::Tensor& a, const at::Tensor& b) {
  return a.scalar_type() == b.scalar_type() && a.sizes() == b.sizes() && at::equal(a, b);
}

std::string golden_path(const std::string& file) { return std::string(REFRAIN_TEST_DATA) + "/golden/" + file; }

}  // namespace refrain::diffusion::testing
