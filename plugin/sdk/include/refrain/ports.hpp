#pragma once
// The ports of a node: declared once as constants of its class, they make the schema and read and write the values.
// Their constructors are consteval: a bad name or default is a compile error at the author's line.

#include <refrain/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

namespace refrain {

class Host;

/// In<Optional<Mask>>: need not be connected; ctx[port] is a pointer, null when it is not.
template <class T>
struct Optional {};
/// In<Lazy<Image>>: computed only when the node's needs() asks for it.
template <class T>
struct Lazy {};
/// In<List<Image>>: all values at once (ComfyUI's INPUT_IS_LIST). Out<List<Image>>: any number of values.
template <class T>
struct List {};

namespace detail {

template <class T>
struct Unwrap {
  using type = T;
  static constexpr bool optional = false, lazy = false, list = false;
};
template <class T>
struct Unwrap<Optional<T>> : Unwrap<T> {
  static constexpr bool optional = true;
};
template <class T>
struct Unwrap<Lazy<T>> : Unwrap<T> {
  static constexpr bool lazy = true;
};
template <class T>
struct Unwrap<List<T>> : Unwrap<T> {
  static constexpr bool list = true;
};

constexpr bool port_character(char c) {
  return c == '_' || c == '.' || c == '-' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

consteval const char* port_name(const char* name) {
  if (!*name) throw "a port needs a name";
  for (const char* c = name; *c; ++c) {
    if (!port_character(*c)) throw "a port's name has letters, digits, '_', '.' and '-' only";
  }
  return name;
}

}  // namespace detail

/// An input that takes a link.
template <class T>
struct In {
  static_assert(!detail::kNarrowNumber<typename detail::Unwrap<T>::type>,
                "numbers travel as double, std::int64_t or std::uint64_t");
  const char* name;
  const char* help;
  consteval In(const char* name, const char* help = "") : name(detail::port_name(name)), help(help) {}
};

/// An output.
template <class T>
struct Out {
  static_assert(!detail::kNarrowNumber<typename detail::Unwrap<T>::type>,
                "numbers travel as double, std::int64_t or std::uint64_t");
  const char* name;
  const char* help;
  consteval Out(const char* name, const char* help = "") : name(detail::port_name(name)), help(help) {}
};

/// An input that the runtime fills in: Prompt, ExtraPngInfo or UniqueId. Named by its type.
template <class T>
struct Hidden {
  consteval Hidden() = default;
};

/// Limits of a number, both inclusive. `step` and `round` are for editors; 0 means not given.
template <class T>
struct Range {
  T min = std::numeric_limits<T>::lowest();
  T max = std::numeric_limits<T>::max();
  T step = 0;
  T round = 0;
};

/// A number with a default and limits: double, std::int64_t, std::uint64_t (seeds) or int (an INT, read as int).
/// It may be linked like any input.
template <class T>
struct Param {
  static_assert(std::is_same_v<T, double> || std::is_same_v<T, std::int64_t> || std::is_same_v<T, std::uint64_t> ||
                    std::is_same_v<T, int>,
                "a parameter is a double, std::int64_t, std::uint64_t, int, bool or std::string");
  const char* name;
  T value;
  Range<T> range;
  const char* help;

  consteval Param(const char* name, T value, Range<T> range, const char* help = "")
      : name(detail::port_name(name)), value(value), range(range), help(help) {
    if (!(range.min <= value && value <= range.max)) throw "the default lies outside the range";
    if (range.step < 0 || range.round < 0) throw "step and round are not negative";
  }
  consteval Param(const char* name, T value, const char* help = "") : Param(name, value, Range<T>{}, help) {}
};

/// A switch.
template <>
struct Param<bool> {
  const char* name;
  bool value;
  const char* help;
  consteval Param(const char* name, bool value, const char* help = "")
      : name(detail::port_name(name)), value(value), help(help) {}
};

/// How a text is edited.
enum class Text : std::uint8_t { line, multiline };

/// A text.
template <>
struct Param<std::string> {
  const char* name;
  const char* value;
  Text text;
  const char* help;
  consteval Param(const char* name, const char* value, const char* help = "") : Param(name, value, Text::line, help) {}
  consteval Param(const char* name, const char* value, Text text, const char* help = "")
      : name(detail::port_name(name)), value(value), text(text), help(help) {}
};

using Choices = std::vector<std::string>;

/// The files of a model folder ("checkpoints"), or of "input", as ComfyUI lists them: relative paths, sorted.
struct FilesIn {
  const char* folder;
};

/// A combo: one text out of several. They stand here, are made by a function when they are asked for, or are the
/// files of a folder; ctx.path(choice) is then the file. The default is the first.
struct Choice {
  static constexpr std::size_t kMost = 64;

  const char* name;
  const char* help;
  std::array<const char*, kMost> fixed{};
  std::size_t count = 0;
  Choices (*computed)(const Host&) = nullptr;
  const char* folder = nullptr;

  consteval Choice(const char* name, std::initializer_list<const char*> values, const char* help = "")
      : name(detail::port_name(name)), help(help) {
    if (values.size() == 0) throw "a choice without choices";
    if (values.size() > kMost) throw "more than 64 choices: give a function";
    for (const char* value : values) fixed[count++] = value;
  }
  consteval Choice(const char* name, FilesIn files, const char* help = "")
      : name(detail::port_name(name)), help(help), folder(files.folder) {}
  consteval Choice(const char* name, Choices (*computed)(const Host&), const char* help = "")
      : name(detail::port_name(name)), help(help), computed(computed) {}
};

}  // namespace refrain
