#pragma once
// From a checkpoint's pickled values to its named tensors.

#include "weights/pickle_values.hpp"
#include "weights/torch_contents.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

namespace refrain::diffusion {

/// Index in TorchContents::runs of each storage key.
using RunsByKey = std::map<std::string_view, std::size_t>;

/// Bytes that the values of a pickle may take, for a file of that size.
std::size_t pickle_memory(std::size_t file_size);

/// Bytes of a whole storage. Throws ModelError where they can't be counted.
std::size_t storage_bytes(const pickle::Values& values, const pickle::Storage& storage);

/// Finds the tensors below `root`: its "state_dict" if it has one, else the only dict in it, else the one that is
/// called as trainers call it, else all. Of a list (ermongroup's training state) it takes the last state, which is the
/// average, or the first where `use_ema` is false. Fills `contents` with those that lie in `runs`. Throws ModelError:
/// no tensors, one that leaves its storage, two of one name.
void collect_tensors(pickle::Values& values, pickle::Ref root, const RunsByKey& runs, std::size_t file_size,
                     std::optional<bool> use_ema, TorchContents& contents);

}  // namespace refrain::diffusion
