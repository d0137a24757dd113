#pragma once
// The only include of a node author: ports, schema, context, payloads, and the macros that make a library of nodes.

#include <refrain/abi.hpp>
#include <refrain/node.hpp>
#include <refrain/payloads.hpp>

#include <iterator>
#include <string>
#include <type_traits>
#include <vector>

namespace refrain::abi {

/// FNV-1a over the sizes of everything that a library and the runtime hand each other.
constexpr std::uint64_t layout_hash() {
  std::uint64_t hash = 14695981039346656037ull;
  for (std::size_t size :
       {sizeof(std::string), sizeof(std::vector<int>), sizeof(at::Tensor), sizeof(Value), sizeof(Input), sizeof(Output),
        sizeof(Schema), sizeof(Slot), sizeof(Frame), sizeof(Context), sizeof(Needs), sizeof(Fingerprint), sizeof(Node),
        sizeof(Literals), sizeof(UiRecord), sizeof(ReportRecord), sizeof(Record)}) {
    hash = (hash ^ size) * 1099511628211ull;
  }
  return hash;
}

/// The stamp of whoever compiles this.
inline constexpr Stamp kStamp{"refrain-plugin",         sizeof(Record),      REFRAIN_STAMP_ABI,    REFRAIN_STAMP_CXX_,
                              REFRAIN_STAMP_SANITIZER_, REFRAIN_STAMP_TORCH, REFRAIN_STAMP_DEVICE, layout_hash()};

template <class T>
void describe(Schema& into) {
  into = T::schema();
}
template <class T>
Node* create() {
  return new T;
}
inline void destroy(Node* node) { delete node; }

/// Overrides are found by the type of the member pointer, so they must be public.
template <class T>
constexpr std::uint32_t overrides() {
  static_assert(std::is_base_of_v<Node, T>, "a node derives publicly from refrain::Node");
  std::uint32_t bits = 0;
  if (!std::is_same_v<decltype(&T::needs), decltype(&Node::needs)>) bits |= kNeeds;
  if (!std::is_same_v<decltype(&T::validate), decltype(&Node::validate)>) bits |= kValidate;
  if (!std::is_same_v<decltype(&T::fingerprint), decltype(&Node::fingerprint)>) bits |= kFingerprint;
  if (sizeof(T) == sizeof(Node)) bits |= kStateless;
  return bits;
}

}  // namespace refrain::abi

/// Ends the single file of a library: its name, its version, and its node classes (up to 256).
///   REFRAIN_PLUGIN("brightness", "1.0.0", Brightness)
#define REFRAIN_PLUGIN(name, version, ...)                                                                          \
  namespace {                                                                                                       \
  REFRAIN_FOR_EACH_(REFRAIN_OWN_ENTRY_, __VA_ARGS__)                                                                \
  constexpr const ::refrain::abi::NodeEntry* refrain_nodes_[] = {REFRAIN_FOR_EACH_(REFRAIN_ADDRESS_, __VA_ARGS__)}; \
  }                                                                                                                 \
  REFRAIN_RECORD_(name, version)

/// Ends the file of one node in a library of several files.
#define REFRAIN_NODE(T)                                                                          \
  extern const ::refrain::abi::NodeEntry refrain_node_##T __attribute__((visibility("hidden"))); \
  constinit const ::refrain::abi::NodeEntry refrain_node_##T REFRAIN_ENTRY_(T);

/// In one file of such a library: its name, its version, and all its nodes. One without REFRAIN_NODE is a link error.
///   REFRAIN_LIBRARY("adjust", "1.0.0", Gain, Gamma, Invert)
#define REFRAIN_LIBRARY(name, version, ...)                                                                         \
  REFRAIN_FOR_EACH_(REFRAIN_OTHER_ENTRY_, __VA_ARGS__)                                                              \
  namespace {                                                                                                       \
  constexpr const ::refrain::abi::NodeEntry* refrain_nodes_[] = {REFRAIN_FOR_EACH_(REFRAIN_ADDRESS_, __VA_ARGS__)}; \
  }                                                                                                                 \
  REFRAIN_RECORD_(name, version)

// Below: how it is done. Entries belong to one file: an inline variable of a class with a public name would be one
// object for two libraries that both have such a class.
#define REFRAIN_ENTRY_(T) \
  { &::refrain::abi::describe<T>, &::refrain::abi::create<T>, &::refrain::abi::destroy, ::refrain::abi::overrides<T>() }
#define REFRAIN_OWN_ENTRY_(T) constexpr ::refrain::abi::NodeEntry refrain_node_##T REFRAIN_ENTRY_(T);
#define REFRAIN_OTHER_ENTRY_(T) \
  extern const ::refrain::abi::NodeEntry refrain_node_##T __attribute__((visibility("hidden")));
#define REFRAIN_ADDRESS_(T) &refrain_node_##T,
#define REFRAIN_RECORD_(name, version)                                                                              \
  extern "C" __attribute__((visibility("default"), used)) constinit const ::refrain::abi::Record refrain_plugin_v1{ \
      ::refrain::abi::kStamp, name, version, refrain_nodes_, std::size(refrain_nodes_)};

#define REFRAIN_FOR_EACH_(m, ...) __VA_OPT__(REFRAIN_EXPAND_(REFRAIN_FOR_EACH_STEP_(m, __VA_ARGS__)))
#define REFRAIN_FOR_EACH_STEP_(m, a, ...) m(a) __VA_OPT__(REFRAIN_FOR_EACH_AGAIN_ REFRAIN_PARENS_(m, __VA_ARGS__))
#define REFRAIN_FOR_EACH_AGAIN_() REFRAIN_FOR_EACH_STEP_
#define REFRAIN_PARENS_ ()
#define REFRAIN_EXPAND_(...) REFRAIN_EXPAND_3_(REFRAIN_EXPAND_3_(REFRAIN_EXPAND_3_(REFRAIN_EXPAND_3_(__VA_ARGS__))))
#define REFRAIN_EXPAND_3_(...) REFRAIN_EXPAND_2_(REFRAIN_EXPAND_2_(REFRAIN_EXPAND_2_(REFRAIN_EXPAND_2_(__VA_ARGS__))))
#define REFRAIN_EXPAND_2_(...) REFRAIN_EXPAND_1_(REFRAIN_EXPAND_1_(REFRAIN_EXPAND_1_(REFRAIN_EXPAND_1_(__VA_ARGS__))))
#define REFRAIN_EXPAND_1_(...) REFRAIN_EXPAND_0_(REFRAIN_EXPAND_0_(REFRAIN_EXPAND_0_(REFRAIN_EXPAND_0_(__VA_ARGS__))))
#define REFRAIN_EXPAND_0_(...) __VA_ARGS__
