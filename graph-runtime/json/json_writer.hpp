#pragma once
// Writing JSON, for everybody in the runtime: nobody else includes a JSON library.

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace refrain {

/// Writes one JSON value from calls in the order of the text. A member is key() and then a value.
/// Text that is not UTF-8 gets U+FFFD in place of the bad bytes.
class JsonWriter {
 public:
  enum class Style : std::uint8_t {
    compact,   ///< no white space; NaN and infinities become null
    indented,  ///< two spaces a level; NaN and infinities become null
    python,    ///< json.dumps: ", " and ": ", ASCII only, NaN and Infinity as such
  };

  explicit JsonWriter(Style style = Style::compact) : style_(style) {}

  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& null() { return raw("null"); }
  JsonWriter& value(bool v) { return raw(v ? "true" : "false"); }
  JsonWriter& value(double v);
  JsonWriter& value(std::string_view v);
  JsonWriter& value(const char* v) { return value(std::string_view(v)); }
  JsonWriter& value(const std::string& v) { return value(std::string_view(v)); }
  template <std::integral T>
  requires(!std::same_as<T, bool> && !std::same_as<T, char>) JsonWriter& value(T v) { return raw(std::to_string(v)); }
  /// A value that is JSON text already.
  JsonWriter& raw(std::string_view json);

  /// A whole member.
  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    return key(name).value(v);
  }

  /// The text written so far; the writer is empty afterwards.
  std::string take();

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void break_line();

  Style style_;
  std::string text_;
  std::vector<bool> has_items_;  // of each open container
  bool after_key_ = false;
};

/// `text` as a JSON string with its quotes; `ascii` escapes everything beyond ASCII, as Python's json.dumps does.
std::string json_string(std::string_view text, bool ascii = false);

}  // namespace refrain
