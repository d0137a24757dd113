#include "json/json_mask.hpp"

#include <cmath>
#include <cstdlib>
#include <limits>

namespace refrain {
namespace {

bool is_number_byte(char c) {
  return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-';
}

std::size_t after_string(std::string_view text, std::size_t open) {
  std::size_t at = open + 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

std::size_t after_number(std::string_view text, std::size_t begin) {
  std::size_t at = begin + 1;
  while (at < text.size() && is_number_byte(text[at])) ++at;
  return at;
}

// An overflow takes a three-digit exponent or more than 300 digits; everything else is not worth a conversion.
bool overflows(std::string_view token) {
  const std::size_t exponent = token.find_first_of("eE");
  const bool suspicious = token.size() > 300 || (exponent != token.npos && token.size() - exponent > 3);
  return suspicious && std::isinf(python_number(token));
}

// The length of a literal that only Python knows, or of an overflowing number, at `begin`; else 0.
std::size_t masked_length(std::string_view text, std::size_t begin) {
  for (std::string_view literal : {"NaN", "Infinity", "-Infinity"}) {
    if (text.substr(begin, literal.size()) == literal) return literal.size();
  }
  if (text[begin] != '-' && (text[begin] < '0' || text[begin] > '9')) return 0;
  const std::size_t end = after_number(text, begin);
  return overflows(text.substr(begin, end - begin)) ? end - begin : 0;
}

void mask(std::string& copy, std::size_t begin, std::size_t size) {
  const std::size_t digits = copy[begin] == '-' ? begin + 1 : begin;
  for (std::size_t i = digits; i < begin + size; ++i) copy[i] = i == digits + 1 ? '.' : '0';
}

}  // namespace

std::optional<std::string> mask_python_literals(std::string_view text) {
  std::optional<std::string> copy;
  std::size_t at = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = after_string(text, at);
    } else if (c == '\0') {
      if (!copy) copy.emplace(text);
      (*copy)[at++] = '\x01';
    } else if (c == 'N' || c == 'I' || c == '-' || (c >= '0' && c <= '9')) {
      const std::size_t size = masked_length(text, at);
      if (size != 0) {
        if (!copy) copy.emplace(text);
        mask(*copy, at, size);
        at += size;
      } else {
        at = c == 'N' || c == 'I' ? at + 1 : after_number(text, at);
      }
    } else {
      ++at;
    }
  }
  return copy;
}

double python_number(std::string_view token) {
  if (token == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (token == "Infinity") return std::numeric_limits<double>::infinity();
  if (token == "-Infinity") return -std::numeric_limits<double>::infinity();
  return std::strtod(std::string(token).c_str(), nullptr);
}

}  // namespace refrain
