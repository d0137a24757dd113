#pragma once
// Damaged and hostile model files, in classes of one kind of damage each. Every one must end in a ModelError.

#include <string>
#include <vector>

namespace refrain::diffusion::testing {

struct HostileClass {
  const char* name;
  std::vector<std::string> (*files)();  ///< makes them: at least ten
};

/// Headers, offsets, types, shapes, names and sizes of safetensors files.
std::vector<HostileClass> hostile_safetensors();
/// Directories, headers, names and compressed data of zip archives.
std::vector<HostileClass> hostile_archives();
/// Opcodes, stack, memo, arguments, sizes and cycles of pickles, in a sound archive.
std::vector<HostileClass> hostile_pickles();
/// Storages that don't fit their tensors, in both forms of checkpoints, and the old form's own parts.
std::vector<HostileClass> hostile_storages();

}  // namespace refrain::diffusion::testing
