#pragma once
// Torch checkpoints as sources of weights.

#include "weights/mapped_file.hpp"

#include <refrain/diffusion/weights.hpp>

#include <memory>

namespace refrain::diffusion {

/// A torch checkpoint whose tensors are views of the mapped file, where they are stored aligned and contiguous, and
/// else copies that tensor() makes.
struct TorchCheckpoint {
  std::shared_ptr<const WeightSource> source;
  bool averaged = false;  ///< its tensors are known to be averages over the training steps
};

/// Opens a checkpoint in the zip form. Throws ModelError.
TorchCheckpoint open_torch_zip(std::shared_ptr<const MappedFile> file, const WeightOptions& options);
/// Opens a checkpoint in the form before torch 1.6. Throws ModelError.
TorchCheckpoint open_torch_legacy(std::shared_ptr<const MappedFile> file, const WeightOptions& options);

}  // namespace refrain::diffusion
