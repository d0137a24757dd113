#include "planning/python_literal.hpp"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <vector>

#include "json/python_text.hpp"

namespace refrain {
namespace {

constexpr __int128 kMost128 = (static_cast<__int128>(INT64_MAX) << 64) + static_cast<__int128>(UINT64_MAX);

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Any script's digits and spaces as ASCII, white space at both ends removed: what Python reads numbers from.
std::string plain_number_text(std::string_view text) {
  std::string plain;
  std::int32_t at = 0;
  const auto size = static_cast<std::int32_t>(text.size());
  while (at < size) {
    const std::int32_t begin = at;
    UChar32 c = 0;
    U8_NEXT(text.data(), at, size, c);
    if (c >= 0 && u_isUWhiteSpace(c))
      plain += ' ';
    else if (c >= 0x1C && c <= 0x1F)
      plain += ' ';
    else if (c > 0x7F && u_charType(c) == U_DECIMAL_DIGIT_NUMBER)
      plain += static_cast<char>('0' + u_charDigitValue(c));
    else
      plain += text.substr(begin, at - begin);
  }
  const std::size_t first = plain.find_first_not_of(' ');
  if (first == plain.npos) return {};
  return plain.substr(first, plain.find_last_not_of(' ') - first + 1);
}

// Removes underscores that stand between two digits; nothing when one stands elsewhere.
std::optional<std::string> without_underscores(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_')
      result += text[i];
    else if (i == 0 || i + 1 == text.size() || !is_digit(text[i - 1]) || !is_digit(text[i + 1]))
      return std::nullopt;
  }
  return result;
}

// A sign and digits, which may be more than fit.
PythonInt int_of_digits(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  while (text.size() > 1 && text[0] == '0') text.remove_prefix(1);
  PythonInt result;
  for (char c : text) {
    if (result.value > (kMost128 - 9) / 10) {
      result.value = kMost128;
      break;
    }
    result.value = result.value * 10 + (c - '0');
  }
  if (negative) result.value = -result.value;
  if (result.value > static_cast<__int128>(UINT64_MAX) || result.value < static_cast<__int128>(INT64_MIN)) {
    result.digits.assign(negative ? 1 : 0, '-').append(text);
  }
  return result;
}

std::optional<std::string> int_of_text(const std::string& text, PythonInt& result) {
  const std::optional<std::string> digits = without_underscores(plain_number_text(text));
  const std::size_t first = digits && !digits->empty() && (digits->front() == '+' || digits->front() == '-') ? 1 : 0;
  if (!digits || digits->size() == first || digits->find_first_not_of("0123456789", first) != digits->npos) {
    return "invalid literal for int() with base 10: " + python_repr(std::string_view(text));
  }
  result = int_of_digits(*digits);
  return std::nullopt;
}

std::optional<std::string> int_of_float(double value, PythonInt& result) {
  if (std::isnan(value)) return "cannot convert float NaN to integer";
  if (std::isinf(value)) return "cannot convert float infinity to integer";
  std::array<char, 340> digits{};
  const int size = std::snprintf(digits.data(), digits.size(), "%.0f", std::trunc(value));
  result = int_of_digits({digits.data(), static_cast<std::size_t>(size)});
  return std::nullopt;
}

std::optional<std::string> float_of_text(const std::string& text, double& result) {
  const std::string error = "could not convert string to float: " + python_repr(std::string_view(text));
  const std::optional<std::string> cleaned = without_underscores(plain_number_text(text));
  if (!cleaned) return error;
  std::string_view number = *cleaned;
  if (number.starts_with('+')) {
    number.remove_prefix(1);
    if (number.starts_with('-')) return error;
  }
  const auto [end, status] = std::from_chars(number.data(), number.data() + number.size(), result);
  if (number.empty() || end != number.data() + number.size() || number.ends_with(')')) return error;
  if (status == std::errc::result_out_of_range)
    result = std::strtod(std::string(number).c_str(), nullptr);
  else if (status != std::errc{})
    return error;
  return std::nullopt;
}

bool is_big_integer(const RawJson& raw) { return !raw.text.empty() && (raw.text[0] == '-' || is_digit(raw.text[0])); }

std::string type_error(const char* function, const char* accepts, const InputValue& literal) {
  const auto* raw = std::get_if<RawJson>(&literal);
  const char* type = !raw ? "NoneType" : raw->text.starts_with('[') ? "list" : "dict";
  return std::string(function) + "() argument must be " + accepts + ", not '" + type + "'";
}

std::string python_atom(JsonView value) {
  switch (value.kind()) {
    case JsonKind::null: return "None";
    case JsonKind::boolean: return value.boolean() ? "True" : "False";
    case JsonKind::integer: return std::to_string(value.integer());
    case JsonKind::unsigned_integer: return std::to_string(value.unsigned_integer());
    case JsonKind::big_integer: return std::string(value.string());
    case JsonKind::real: return python_repr(value.real());
    default: return python_repr(value.string());
  }
}

// repr() of a value and all in it.
std::string python_repr_of(JsonView root) {
  std::string out;
  std::vector<JsonView> open;
  auto close_until = [&](std::uint32_t index) {
    while (!open.empty() && open.back().end_index() <= index) {
      out += open.back().is(JsonKind::object) ? '}' : ']';
      open.pop_back();
    }
  };
  for (std::uint32_t i = root.index(); i < root.end_index(); ++i) {
    close_until(i);
    const JsonView item = root.at_index(i);
    if (!open.empty() && open.back().index() + 1 != i) out += ", ";
    if (!open.empty() && open.back().is(JsonKind::object)) out += python_repr(item.key()) + ": ";
    const bool object = item.is(JsonKind::object);
    if (object || item.is(JsonKind::array)) {
      out += object ? '{' : '[';
      open.push_back(item);
    } else {
      out += python_atom(item);
    }
  }
  close_until(root.end_index());
  return out;
}

std::string decimal(__int128 value) {
  const bool negative = value < 0;
  if (!negative) return std::to_string(static_cast<std::uint64_t>(value));
  return std::to_string(static_cast<std::int64_t>(value));
}

}  // namespace

std::string python_str(const PythonInt& value) { return value.digits.empty() ? decimal(value.value) : value.digits; }

std::string python_str(const InputValue& literal) {
  if (const auto* v = std::get_if<bool>(&literal)) return *v ? "True" : "False";
  if (const auto* v = std::get_if<std::int64_t>(&literal)) return std::to_string(*v);
  if (const auto* v = std::get_if<std::uint64_t>(&literal)) return std::to_string(*v);
  if (const auto* v = std::get_if<double>(&literal)) return python_repr(*v);
  if (const auto* v = std::get_if<std::string>(&literal)) return *v;
  if (const auto* v = std::get_if<RawJson>(&literal)) return python_str(JsonDocument::parse(v->text, "literal").root());
  return "None";
}

std::string python_str(JsonView value) {
  return value.is(JsonKind::string) ? std::string(value.string()) : python_repr_of(value);
}

std::optional<std::string> to_python_int(const InputValue& literal, PythonInt& result) {
  result = {};
  if (const auto* v = std::get_if<std::int64_t>(&literal))
    result.value = *v;
  else if (const auto* v = std::get_if<std::uint64_t>(&literal))
    result.value = *v;
  else if (const auto* v = std::get_if<bool>(&literal))
    result.value = *v ? 1 : 0;
  else if (const auto* v = std::get_if<double>(&literal))
    return int_of_float(*v, result);
  else if (const auto* v = std::get_if<std::string>(&literal))
    return int_of_text(*v, result);
  else if (const auto* v = std::get_if<RawJson>(&literal); v && is_big_integer(*v))
    result = int_of_digits(v->text);
  else
    return type_error("int", "a string, a bytes-like object or a real number", literal);
  return std::nullopt;
}

std::optional<std::string> to_python_float(const InputValue& literal, double& result) {
  if (const auto* v = std::get_if<double>(&literal))
    result = *v;
  else if (const auto* v = std::get_if<std::int64_t>(&literal))
    result = static_cast<double>(*v);
  else if (const auto* v = std::get_if<std::uint64_t>(&literal))
    result = static_cast<double>(*v);
  else if (const auto* v = std::get_if<bool>(&literal))
    result = *v ? 1.0 : 0.0;
  else if (const auto* v = std::get_if<std::string>(&literal))
    return float_of_text(*v, result);
  else if (const auto* v = std::get_if<RawJson>(&literal); v && is_big_integer(*v)) {
    result = std::strtod(v->text.c_str(), nullptr);
    if (std::isinf(result)) return "int too large to convert to float";
  } else {
    return type_error("float", "a string or a real number", literal);
  }
  return std::nullopt;
}

bool to_python_bool(const InputValue& literal) {
  if (const auto* v = std::get_if<bool>(&literal)) return *v;
  if (const auto* v = std::get_if<std::int64_t>(&literal)) return *v != 0;
  if (const auto* v = std::get_if<double>(&literal)) return *v != 0;  // NaN is true
  if (const auto* v = std::get_if<std::string>(&literal)) return !v->empty();
  if (const auto* v = std::get_if<RawJson>(&literal)) return v->text != "{}" && v->text != "[]";
  return std::holds_alternative<std::uint64_t>(literal);
}

}  // namespace refrain
