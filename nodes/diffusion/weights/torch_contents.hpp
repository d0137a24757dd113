#pragma once
// What a torch checkpoint file holds: named tensors and where their bytes are.

#include "weights/zip_archive.hpp"

#include <refrain/diffusion/weights.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion {

/// The bytes of one storage.
struct StoredRun {
  std::size_t offset = 0;            ///< from the start of the file
  std::size_t bytes = 0;             ///< once unpacked
  std::optional<ZipEntry> deflated;  ///< where they have to be unpacked
};

/// A tensor's part of its storage. Checked: it lies inside.
struct StoredView {
  std::size_t run = 0;
  std::int64_t begin = 0;             ///< in elements
  std::int64_t extent = 0;            ///< elements from its first to behind its last
  std::vector<std::int64_t> strides;  ///< in elements; empty where the tensor is contiguous
};

struct TorchContents {
  std::map<std::string, TensorInfo, std::less<>> tensors;
  std::map<std::string_view, StoredView> views;  ///< by the names of `tensors`
  std::map<std::string, std::string, std::less<>> metadata;
  std::vector<StoredRun> runs;
  bool big_endian = false;
  bool averaged = false;  ///< the tensors are known to be averages over the training steps
};

/// Reads a checkpoint in the zip form (torch >= 1.6), given its archive. Throws ModelError.
TorchContents read_torch_zip(const ZipArchive& archive, std::span<const std::byte> file, const std::string& name,
                             std::optional<bool> use_ema);

/// Reads a checkpoint in the form before torch 1.6: five pickles, then the storages. Throws ModelError.
TorchContents read_torch_legacy(std::span<const std::byte> file, const std::string& name, std::optional<bool> use_ema);

}  // namespace refrain::diffusion
