#pragma once
// What this runtime is, and whether a library built for something else fits it.

#include <refrain/abi.hpp>

#include <string>

#include "plugins/library_file.hpp"

namespace refrain {

/// What a library must fit.
struct RuntimeTraits {
  abi::Stamp stamp;   ///< of the runtime's own build
  std::string torch;  ///< version of the libtorch that is loaded
  bool cuda = false;  ///< that libtorch is a CUDA build (whether or not there is a GPU)
};

/// The traits of this process.
RuntimeTraits this_runtime();

/// Throws PluginError (without the file's name) at the first difference, in this order: `other_cxx`, `other_sanitizer`,
/// `other_torch`, `other_device`, `other_layout`. The ABI was checked when the facts were read.
void check_fit(const LibraryFacts& library, const RuntimeTraits& runtime);

}  // namespace refrain
