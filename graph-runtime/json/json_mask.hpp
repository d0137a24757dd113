#pragma once
// Makes text that Python's json accepts acceptable to a strict parser, without moving a byte.

#include <optional>
#include <string>
#include <string_view>

namespace refrain {

/// A copy of `text` in which NaN, Infinity, -Infinity and numbers too large for a double are replaced by harmless
/// numbers of the same length (the caller reads the true value from the original), and bytes of value 0 outside strings
/// by one that no parser takes for the end. Nothing when `text` has none of them.
std::optional<std::string> mask_python_literals(std::string_view text);

/// The value of a masked token as Python reads it: NaN, an infinity or a number.
double python_number(std::string_view token);

}  // namespace refrain
