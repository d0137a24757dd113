#pragma once
// What the runtime offers to a node. Implemented by graph-runtime and by the ComfyUI package, never by node authors.

#include <refrain/ports.hpp>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

namespace at {
class Tensor;  // <ATen/core/Tensor.h>, for those who make previews
}

namespace refrain {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// The folders that nodes read from and write to.
enum class Folder : std::uint8_t { output, input, temp };

/// Services of the runtime. Any thread may call any of them.
class REFRAIN_API Host {
 public:
  virtual ~Host();

  /// Names of the files in a model folder ("checkpoints") or in "input": relative, '/' between parts, sorted.
  virtual Choices files_in(std::string_view folder) const = 0;
  /// The file `name` of such a folder. Never leaves the folder: ".." and absolute names are refused, and so are links
  /// out of "input"; those inside a model folder are the operator's own and are followed. Throws NodeError that names
  /// the file, the folders searched and what is there instead.
  virtual std::filesystem::path find_file(std::string_view folder, std::string_view name) const = 0;
  /// A file that came with the installation, the tokenizer's vocabulary say. Throws NodeError with the places searched.
  virtual std::filesystem::path data_file(std::string_view name) const = 0;
  /// The folder for pictures, for inputs, or for what may be thrown away. Exists.
  virtual std::filesystem::path directory(Folder which) const = 0;

  /// Somebody asked to stop.
  virtual bool cancelled() const = 0;
  /// `done` of `of` steps of the running node.
  virtual void progress(std::int64_t done, std::int64_t of) = 0;
  virtual void log(LogLevel level, std::string_view line) = 0;
  /// Whether somebody looks at unfinished pictures while the run goes on; false where a host has no use for them.
  virtual bool wants_previews() const;
  /// An unfinished picture of the running node, [H, W, 3] in 0..1 of any float type. Not to be called unless wanted.
  virtual void preview(const at::Tensor& pixels);

  /// Where the run computes.
  virtual c10::Device device() const = 0;
  /// In which type the networks of the run compute; float32, bfloat16 or float16.
  virtual c10::ScalarType dtype() const = 0;

  /// Runs `work` on another thread, off the critical path; the run ends only when all such work is done.
  /// An exception in it fails the node that gave it.
  virtual void defer(std::function<void()> work) = 0;
  /// Throws NodeError `out_of_memory` when `bytes` more are not to be had on the run's device; `what` names them.
  virtual void require_memory(std::uint64_t bytes, std::string_view what) const = 0;
};

}  // namespace refrain
