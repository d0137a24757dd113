#pragma once
// What must hold of a checkpoint that a reader has accepted.

#include "weights/torch_contents.hpp"

#include <cstddef>

namespace refrain::fuzz {

/// Ends the process where a tensor would leave its storage, or a storage the file.
inline void check(const diffusion::TorchContents& contents, std::size_t file_size) {
  for (const auto& run : contents.runs) {
    if (!run.deflated && (run.offset > file_size || run.bytes > file_size - run.offset)) __builtin_trap();
  }
  for (const auto& [name, info] : contents.tensors) {
    const auto& view = contents.views.at(name);
    const std::size_t elements = contents.runs.at(view.run).bytes / at::elementSize(info.dtype);
    if (view.begin < 0 || view.extent < 0) __builtin_trap();
    if (static_cast<std::size_t>(view.begin) > elements) __builtin_trap();
    if (static_cast<std::size_t>(view.extent) > elements - static_cast<std::size_t>(view.begin)) __builtin_trap();
    if (!view.strides.empty() && view.strides.size() != info.shape.size()) __builtin_trap();
  }
}

}  // namespace refrain::fuzz
