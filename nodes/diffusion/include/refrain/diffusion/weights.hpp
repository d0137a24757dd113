#pragma once
// Where a model's tensors come from, and how modules ask for them.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion {

/// One tensor of a file, without its data.
struct TensorInfo {
  at::ScalarType dtype;
  std::vector<std::int64_t> shape;
};

/// A file of named tensors. Tensors are views of the mapped file where alignment allows; they keep the mapping alive.
class WeightSource {
 public:
  virtual ~WeightSource();
  /// For messages: the file.
  virtual const std::string& name() const = 0;
  virtual const std::map<std::string, TensorInfo, std::less<>>& tensors() const = 0;
  virtual const std::map<std::string, std::string, std::less<>>& metadata() const = 0;
  /// The tensor called `name`, on the CPU in the file's dtype. Throws ModelError when it isn't there.
  virtual at::Tensor tensor(std::string_view name) const = 0;
  /// The pages of a tensor's data are no longer needed (its weights were packed or copied elsewhere).
  virtual void give_back(std::string_view name) const;
};

/// Opens a safetensors file and checks it whole (header, offsets, sizes) as the reference reader does. Throws
/// ModelError.
std::shared_ptr<const WeightSource> open_safetensors(const std::filesystem::path& file);

/// `source` with its floating-point tensors rounded to float16 as they are read: how ComfyUI holds text encoders.
std::shared_ptr<const WeightSource> rounded_to_half(std::shared_ptr<const WeightSource> source);

/// Where weights go.
struct Placement {
  at::Device device{at::kCPU};
  at::ScalarType dtype = at::kFloat;  ///< of computation
};

/// A view of a source below a path: `weights / "input_blocks" / 0`. Cheap to copy.
class Weights {
 public:
  /// Throws ModelError "dtype_unsupported" for fp16 computation on the CPU.
  Weights(std::shared_ptr<const WeightSource> source, Placement placement, std::string prefix = {});

  Weights operator/(std::string_view child) const;
  Weights operator/(int child) const;

  bool has(std::string_view leaf) const;
  /// Shape of a leaf, empty when there is none.
  std::vector<std::int64_t> shape(std::string_view leaf) const;
  /// The leaf as stored: CPU, file's dtype. Throws ModelError naming file, tensor and both shapes when it is missing or
  /// not of `shape`.
  at::Tensor raw(std::string_view leaf, at::IntArrayRef shape) const;
  /// The leaf on the device in the dtype of computation: in place from the file where nothing has to change.
  at::Tensor get(std::string_view leaf, at::IntArrayRef shape) const;
  /// The leaf was packed into another form: its file pages can go.
  void give_back(std::string_view leaf) const;

  const Placement& placement() const { return placement_; }
  const WeightSource& source() const { return *source_; }
  std::string path(std::string_view leaf) const;  ///< full name of a leaf

 private:
  std::shared_ptr<const WeightSource> source_;
  Placement placement_;
  std::string prefix_;
};

}  // namespace refrain::diffusion
