#pragma once
// Defaults and limits of inputs, as people read them.

#include <string>

#include <refrain/schema.hpp>

namespace refrain::cli {

/// A number as it is, a text in quotes; empty for none.
std::string text_of(const Literal& literal);

/// Whether a limit says nothing: none is given, or that of the whole type.
bool is_open(const Literal& limit);

}  // namespace refrain::cli
