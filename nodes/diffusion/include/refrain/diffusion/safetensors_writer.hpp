#pragma once
// Writing safetensors files: github.com/huggingface/safetensors.

#include <ATen/core/Tensor.h>
#include <refrain/diffusion/weights.hpp>

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace refrain::diffusion {

/// Writes a file tensor by tensor, so that it never has to be in memory whole. The bytes go to a temporary file beside
/// the target, which takes the target's name only in commit(); without it nothing is left. Not thread-safe. Failures to
/// write throw ModelError "file_write_failed".
class SafetensorsWriter {
 public:
  using Tensors = std::map<std::string, TensorInfo, std::less<>>;
  using Metadata = std::map<std::string, std::string, std::less<>>;

  /// Begins `file` with the header of `tensors` (laid out as the reference writer does: by falling element size, then
  /// name).
  SafetensorsWriter(std::filesystem::path file, const Tensors& tensors, const Metadata& metadata = {});
  ~SafetensorsWriter();
  SafetensorsWriter(const SafetensorsWriter&) = delete;
  SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;

  /// Writes the data of one declared tensor, in any order. Any device and strides; dtype and shape as declared, else
  /// ShapeError.
  void write(std::string_view name, const at::Tensor& tensor);
  /// Ends the file and gives it its name. Throws ModelError when a declared tensor was not written.
  void commit();

 private:
  struct Entry {
    TensorInfo info;
    std::size_t offset = 0;
    bool written = false;
  };
  void open_temporary();
  void put(const void* data, std::size_t bytes, std::size_t offset);

  std::filesystem::path file_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
  std::map<std::string, Entry, std::less<>> entries_;
};

/// Writes a whole file at once.
void write_safetensors(const std::filesystem::path& file, const std::map<std::string, at::Tensor, std::less<>>& tensors,
                       const SafetensorsWriter::Metadata& metadata = {});

}  // namespace refrain::diffusion
