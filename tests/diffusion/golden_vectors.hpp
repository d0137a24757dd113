#pragma once
// Golden vectors: what the reference implementation answered. tests/reference makes them and says how.

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

namespace refrain::diffusion::testing {

/// Named tensors of tests/data/golden/<file>.
class GoldenVectors {
 public:
  explicit GoldenVectors(const std::string& file);

  /// Throws ModelError when there is none of that name.
  const at::Tensor& operator[](const std::string& name) const { return tensors_.at(name); }
  /// Names that begin with `prefix`, without it.
  std::vector<std::string> names(const std::string& prefix) const;
  const std::string& note(const std::string& key) const { return notes_.at(key); }

 private:
  std::map<std::string, at::Tensor> tensors_;
  std::map<std::string, std::string> notes_;
};

/// max|a - b| over the standard deviation of b; over 1 where b is constant. Infinite where the shapes differ.
double difference(const at::Tensor& a, const at::Tensor& b);
/// Same shape, dtype and bits.
bool identical(const at::Tensor& a, const at::Tensor& b);
/// A file of tests/data/golden.
std::string golden_path(const std::string& file);

}  // namespace refrain::diffusion::testing
