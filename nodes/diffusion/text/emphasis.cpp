// Emphasis in prompts: (word) and (word:1.3).

#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/text.hpp>

#include <algorithm>
#include <charconv>
#include <optional>

namespace refrain::diffusion {

namespace {

constexpr double kEmphasis = 1.1;
constexpr int kDeepest = 500;

/// A stretch of the prompt that waits to be looked at.
struct Stretch {
  std::string_view text;
  double weight;
  int depth;
  bool split;  // into groups and what stands between them
};

bool is_escaped(std::string_view text, std::size_t at) { return at > 0 && text[at - 1] == '\\'; }

bool is_parenthesis(std::string_view text, std::size_t at, char which) {
  return text[at] == which && !is_escaped(text, at);
}

bool is_group(std::string_view text) {
  return text.size() >= 2 && text.front() == '(' && is_parenthesis(text, text.size() - 1, ')');
}

/// Outermost groups and the text around them, in order. A level below zero, after a ")" too many, opens no groups.
std::vector<std::string_view> outermost(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int level = 0;
  const auto cut = [&](std::size_t end) {
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_parenthesis(text, i, '(')) {
      if (level++ == 0) cut(i);
    } else if (is_parenthesis(text, i, ')')) {
      if (--level == 0) cut(i + 1);
    }
  }
  cut(text.size());
  return parts;
}

/// A number as Python's float() reads it: spaces around it, a sign, single underscores between digits.
std::optional<double> read_number(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\v\f\r";
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == text.npos) return {};
  text = text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
  const auto is_digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  std::string digits;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits += text[i];
    } else if (i == 0 || !is_digit(i - 1) || !is_digit(i + 1)) {
      return {};
    }
  }
  if (digits.find('(') != digits.npos) return {};  // nan(...) is C's
  std::string_view number = digits;
  if (number.front() == '+') number.remove_prefix(1);
  if (number.empty() || (number.data() != digits.data() && number.front() == '-')) return {};
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc() || end != number.data() + number.size()) return {};
  return value;
}

/// What a group holds: a number after its last colon replaces the weight outside, else that is multiplied by 1.1.
Stretch open_group(const Stretch& group) {
  Stretch inner{group.text.substr(1, group.text.size() - 2), group.weight * kEmphasis, group.depth + 1, true};
  const std::size_t colon = inner.text.rfind(':');
  if (colon == inner.text.npos || colon == 0) return inner;
  if (const auto weight = read_number(inner.text.substr(colon + 1))) {
    inner.weight = *weight;
    inner.text = inner.text.substr(0, colon);
  }
  return inner;
}

/// Takes the backslashes of escaped parentheses out.
std::string unescaped(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escapes = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '(' || text[i + 1] == ')');
    if (!escapes) plain += text[i];
  }
  return plain;
}

}  // namespace

std::vector<std::pair<std::string, float>> parse_emphasis(std::string_view prompt) {
  std::vector<std::pair<std::string, float>> segments;
  std::vector<Stretch> waiting{{prompt, 1.0, 0, true}};
  while (!waiting.empty()) {
    Stretch stretch = waiting.back();
    waiting.pop_back();
    if (stretch.depth > kDeepest) {
      throw Error("prompt_too_nested", "a prompt has more than " + std::to_string(kDeepest) +
                                           " parentheses inside each other; write \\( for a literal one");
    }
    if (stretch.split) {
      std::vector<std::string_view> parts = outermost(stretch.text);
      std::ranges::reverse(parts);
      for (const std::string_view part : parts) waiting.push_back({part, stretch.weight, stretch.depth, false});
    } else if (is_group(stretch.text)) {
      waiting.push_back(open_group(stretch));
    } else {
      segments.emplace_back(unescaped(stretch.text), static_cast<float>(stretch.weight));
    }
  }
  return segments;
}

}  // namespace refrain::diffusion
