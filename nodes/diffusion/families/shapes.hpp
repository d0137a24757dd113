#pragma once
#include <refrain/diffusion/weights.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace refrain::diffusion {

/// Questions about the shapes of a file's tensors below a prefix, for recognising families.
class Shapes {
 public:
  Shapes(const WeightSource& source, std::string prefix) : source_(source), prefix_(std::move(prefix)) {}

  bool has(std::string_view name) const { return find(name) != nullptr; }
  int rank(std::string_view name) const;  ///< -1 where there is no such tensor
  /// Size of one dimension, 1 .. 2^20. Throws ModelError where there is none or it is beyond that.
  int size(std::string_view name, std::size_t dimension) const;
  /// How many of `list`.0`leaf`, `list`.1`leaf`, ... are there without a gap.
  int count(const std::string& list, std::string_view leaf) const;
  [[noreturn]] void fail(std::string_view name, const std::string& what) const;

 private:
  const TensorInfo* find(std::string_view name) const;

  const WeightSource& source_;
  std::string prefix_;
};

/// Bytes of the tensors whose names begin with `path`, once they are in `dtype`.
std::size_t bytes_below(const WeightSource& source, std::string_view path, at::ScalarType dtype);

}  // namespace refrain::diffusion
