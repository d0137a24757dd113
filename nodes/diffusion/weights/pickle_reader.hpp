#pragma once
// A restricted reader of Python's pickles: it builds plain data and never imports, calls or runs anything.
// Format: Python's Lib/pickletools.py; what torch.save puts into it: torch/_weights_only_unpickler.py.

#include "weights/pickle_values.hpp"

#include <cstddef>
#include <span>

namespace refrain::diffusion::pickle {

/// Reads the pickle that begins at `at` and sets `at` behind its end. Protocols 2 to 5, the opcodes that pickling
/// writes.
///
/// Tensors, storages, parameters, ordered dicts and sizes become values of those kinds. Every other name that the
/// pickle wants to import, and everything that it wants made by calling one, becomes an opaque value. Containers may
/// hold themselves. Stack and memo are bounded by the memory of `values`, which `bytes` must outlive. Throws ModelError
/// (model_file_damaged, model_file_unsupported).
Ref read_pickle(std::span<const std::byte> bytes, std::size_t& at, Values& values);

}  // namespace refrain::diffusion::pickle
