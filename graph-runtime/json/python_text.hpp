#pragma once
// How Python writes values: ComfyUI's messages and PNG chunks are made of it.

#include <span>
#include <string>
#include <string_view>

namespace refrain {

/// repr() of a float: the shortest digits that read back the same, "1e-05", "1e+16", "5.0", "nan", "inf".
std::string python_repr(double value);

/// repr() of a str: quoted, with escapes for quotes and for what cannot be printed.
std::string python_repr(std::string_view text);
/// repr() of a list of str.
std::string python_repr(std::span<const std::string> texts);

}  // namespace refrain
