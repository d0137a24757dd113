#pragma once
// What travels on an edge: an immutable, shared object and the name of its type. No RTTI crosses a library boundary.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

/// Marks what librefrain_sdk.so exports.
#define REFRAIN_API __attribute__((visibility("default")))

namespace refrain {

/// A payload type by name. Two libraries mean the same type when name, layout and size agree.
struct Type {
  std::string_view name;     ///< ComfyUI's name: "IMAGE"; static storage of a library, which is never unloaded
  std::uint32_t layout = 1;  ///< the author's version of the struct; raised whenever its members change
  std::uint32_t size = 0;    ///< sizeof

  /// Names are constants of a library, so within one library their addresses agree and no characters are compared.
  friend bool operator==(const Type& a, const Type& b) {
    return a.size == b.size && a.layout == b.layout && a.name.size() == b.name.size() &&
           (a.name.data() == b.name.data() || a.name == b.name);
  }
};

/// Stands for every type: `In<Any>` takes a value as it is, `Out<Any>` hands one on.
struct Any {
  static constexpr const char* kTypeName = "*";
};

/// The name of a payload type. A struct of anybody's becomes a payload by two members, without including this:
///   static constexpr const char* kTypeName = "ACME_DEPTH";
///   static constexpr unsigned kTypeLayout = 2;   // optional, 1 when missing
/// Specialise TypeOf for a type that can't be changed.
template <class T>
struct TypeOf {
  static constexpr Type get() {
    std::uint32_t layout = 1;
    if constexpr (requires { T::kTypeLayout; }) layout = T::kTypeLayout;
    return {T::kTypeName, layout, sizeof(T)};
  }
};
template <>
struct TypeOf<double> {
  static constexpr Type get() { return {"FLOAT", 1, sizeof(double)}; }
};
template <>
struct TypeOf<std::int64_t> {
  static constexpr Type get() { return {"INT", 1, sizeof(std::int64_t)}; }
};
/// Seeds. The same 64 bits as a signed INT: a link between the two keeps the bits.
template <>
struct TypeOf<std::uint64_t> {
  static constexpr Type get() { return {"INT", 1, sizeof(std::uint64_t)}; }
};
template <>
struct TypeOf<bool> {
  static constexpr Type get() { return {"BOOLEAN", 1, sizeof(bool)}; }
};
template <>
struct TypeOf<std::string> {
  static constexpr Type get() { return {"STRING", 1, sizeof(std::string)}; }
};

/// What an object keeps alive beyond its own struct: owner and bytes of each block. Equal owners are the same memory,
/// so that the runtime counts weights shared by two values once. A payload that keeps much says so, so that the bound
/// on kept results holds:
///   static void memory(const Depth& depth, std::vector<std::pair<const void*, std::size_t>>& blocks);
using MemoryBlocks = std::vector<std::pair<const void*, std::size_t>>;
using MemoryHook = void (*)(const void* object, MemoryBlocks& blocks);

namespace detail {
/// The payload's `memory`, its type forgotten; null when it has none.
template <class T>
constexpr MemoryHook memory_hook() {
  if constexpr (requires(const T& object, MemoryBlocks& blocks) { T::memory(object, blocks); }) {
    return [](const void* object, MemoryBlocks& blocks) { T::memory(*static_cast<const T*>(object), blocks); };
  } else {
    return nullptr;
  }
}

/// Narrower numbers have no type name of their own; a port of one would be read with the wrong size elsewhere.
template <class T>
inline constexpr bool kNarrowNumber =
    std::is_arithmetic_v<T> && !std::is_same_v<T, double> && !std::is_same_v<T, std::int64_t> &&
    !std::is_same_v<T, std::uint64_t> && !std::is_same_v<T, bool>;
}  // namespace detail

/// An immutable object of a named type, shared by all who hold it. Copying is cheap; any thread may read it.
class Value {
 public:
  Value() = default;

  /// Shares `object`, which must not be null and not change any more. The conversion to `const T` happens here,
  /// so an object of a derived class may be given.
  template <class T>
  static Value of(std::shared_ptr<const T> object) {
    static_assert(!detail::kNarrowNumber<T>, "numbers travel as double, std::int64_t or std::uint64_t");
    return Value(TypeOf<T>::get(), detail::memory_hook<T>(), std::move(object));
  }
  /// Moves `object` into a new shared one.
  template <class T>
  static Value make(T object) {
    return of<T>(std::make_shared<const T>(std::move(object)));
  }

  const Type& type() const { return type_; }
  explicit operator bool() const { return object_ != nullptr; }
  /// Appends what the object keeps alive, as far as its type says.
  void memory(MemoryBlocks& blocks) const {
    if (memory_) memory_(object_.get(), blocks);
  }
  /// Tells objects apart; null for no value.
  const void* address() const { return object_.get(); }
  /// The same object, not merely an equal one.
  friend bool operator==(const Value& a, const Value& b) { return a.object_ == b.object_; }

  /// The object, for as long as this value lives. Throws Error: `no_value`, `wrong_type` ("expected IMAGE, got FLOAT")
  /// or `wrong_layout`.
  template <class T>
  const T& as() const {
    return *static_cast<const T*>(checked(TypeOf<T>::get()));
  }
  /// The object, to keep. Throws as as() does.
  template <class T>
  std::shared_ptr<const T> share() const {
    return {object_, &as<T>()};
  }

 private:
  Value(Type type, MemoryHook memory, std::shared_ptr<const void> object)
      : type_(type), memory_(memory), object_(std::move(object)) {}
  REFRAIN_API const void* checked(const Type& wanted) const;

  Type type_;
  MemoryHook memory_ = nullptr;
  std::shared_ptr<const void> object_;
};

}  // namespace refrain
