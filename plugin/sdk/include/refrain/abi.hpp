#pragma once
// The plain-data record that a node library exports. It begins with a stamp of characters and integers, which the
// loader reads from the file before it opens the library, so before any code of the library runs.

#include <torch/headeronly/version.h>

#include <cstddef>
#include <cstdint>

/// The version of this binary interface: raised when a virtual function, a struct of this file or a payload changes.
#define REFRAIN_ABI_VERSION 1

#if defined(_LIBCPP_VERSION)
#define REFRAIN_STAMP_CXX_ "libc++"
#elif defined(_GLIBCXX_DEBUG)
#define REFRAIN_STAMP_CXX_ "libstdc++ debug"
#elif defined(_GLIBCXX_USE_CXX11_ABI) && _GLIBCXX_USE_CXX11_ABI
#define REFRAIN_STAMP_CXX_ "libstdc++"
#else
#define REFRAIN_STAMP_CXX_ "libstdc++ before C++11"
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REFRAIN_STAMP_SANITIZER_ "address"
#elif __has_feature(thread_sanitizer)
#define REFRAIN_STAMP_SANITIZER_ "thread"
#endif
#endif
#if !defined(REFRAIN_STAMP_SANITIZER_) && defined(__SANITIZE_ADDRESS__)
#define REFRAIN_STAMP_SANITIZER_ "address"
#elif !defined(REFRAIN_STAMP_SANITIZER_) && defined(__SANITIZE_THREAD__)
#define REFRAIN_STAMP_SANITIZER_ "thread"
#elif !defined(REFRAIN_STAMP_SANITIZER_)
#define REFRAIN_STAMP_SANITIZER_ "none"
#endif

/// "cuda" for a library that can't do without a CUDA libtorch; refrain_add_node_library(... DEVICE cuda) sets it.
#ifndef REFRAIN_STAMP_DEVICE
#define REFRAIN_STAMP_DEVICE "any"
#endif
// The loader's tests pretend to be other builds with these two.
#ifndef REFRAIN_STAMP_TORCH
#define REFRAIN_STAMP_TORCH TORCH_VERSION
#endif
#ifndef REFRAIN_STAMP_ABI
#define REFRAIN_STAMP_ABI REFRAIN_ABI_VERSION
#endif

namespace refrain {
class Node;
class Schema;
}  // namespace refrain

namespace refrain::abi {

/// What a library was built for. Holds no pointer, since it is read from the file. Its first 24 bytes never change.
struct Stamp {
  char magic[16];        ///< "refrain-plugin"
  std::uint32_t size;    ///< of the whole record
  std::uint32_t abi;     ///< REFRAIN_ABI_VERSION
  char cxx[32];          ///< C++ library
  char sanitizer[16];    ///< "none", "address", "thread"
  char torch[32];        ///< version of libtorch's headers
  char device[16];       ///< "any", "cuda"
  std::uint64_t layout;  ///< hash of the sizes of the classes that cross the boundary
};

/// Which of its virtual functions a node overrides: the runtime does not call the others. Beside them whether its class
/// has members: one object without any may serve all calls.
enum Overrides : std::uint32_t { kNeeds = 1, kValidate = 2, kFingerprint = 4, kStateless = 8 };

/// One node type: functions compiled in the library. describe() and create() may throw.
struct NodeEntry {
  void (*describe)(Schema& into);
  Node* (*create)();
  void (*destroy)(Node*);
  std::uint32_t overrides;
};

/// What a library exports under the name `refrain_plugin_v1`, constant-initialised.
struct Record {
  Stamp stamp;
  const char* name;
  const char* version;
  const NodeEntry* const* nodes;
  std::size_t count;
};

}  // namespace refrain::abi
