#include "plugins/runtime_traits.hpp"

#include <refrain/errors.hpp>
#include <refrain/plugin.hpp>

#include <ATen/detail/CUDAHooksInterface.h>
#include <torch/csrc/inductor/aoti_torch/c/shim.h>

#include <algorithm>
#include <string_view>

namespace refrain {

namespace {

/// The version that the loaded library itself states: bytes 7, 6 and 5 are major, minor and patch
/// (torch/headeronly/version.h).
std::string loaded_torch_version() {
  const std::uint64_t version = aoti_torch_abi_version();
  const auto part = [&](int byte) { return std::to_string((version >> (8 * byte)) & 0xff); };
  return part(7) + "." + part(6) + "." + part(5);
}

bool needs_cuda(const LibraryFacts& library) {
  if (std::string_view(library.stamp.device) == "cuda") return true;
  return std::any_of(library.needed.begin(), library.needed.end(), [](const std::string& name) {
    return name.starts_with("libc10_cuda.so") || name.starts_with("libtorch_cuda.so");
  });
}

std::string sanitizer_text(std::string_view sanitizer) {
  return sanitizer == "none" ? "without a sanitizer" : "with the " + std::string(sanitizer) + " sanitizer";
}

}  // namespace

RuntimeTraits this_runtime() { return {abi::kStamp, loaded_torch_version(), at::detail::getCUDAHooks().hasCUDART()}; }

void check_fit(const LibraryFacts& library, const RuntimeTraits& runtime) {
  const abi::Stamp& theirs = library.stamp;
  const abi::Stamp& ours = runtime.stamp;
  if (std::string_view(theirs.cxx) != ours.cxx) {
    throw PluginError("other_cxx", std::string("built with the C++ library ") + theirs.cxx + ", this runtime with " +
                                       ours.cxx + "; build it again with the same compiler settings");
  }
  if (std::string_view(theirs.sanitizer) != ours.sanitizer) {
    throw PluginError("other_sanitizer", "built " + sanitizer_text(theirs.sanitizer) + ", this runtime " +
                                             sanitizer_text(ours.sanitizer) + "; build it again to match");
  }
  if (std::string_view(theirs.torch) != runtime.torch) {
    throw PluginError("other_torch", std::string("built for libtorch ") + theirs.torch + ", this runtime runs on " +
                                         runtime.torch + "; build it again against that libtorch");
  }
  if (needs_cuda(library) && !runtime.cuda) {
    throw PluginError("other_device",
                      "built for a CUDA libtorch, this runtime runs on a CPU-only one; build it against that, "
                      "or use a CUDA build of Refrain");
  }
  if (theirs.size != ours.size || theirs.layout != ours.layout) {
    throw PluginError("other_layout",
                      "its classes have other sizes than this runtime's; build it again with this Refrain's SDK "
                      "and the same compiler settings");
  }
}

}  // namespace refrain
