#pragma once
// One literal against one port: conversion, limits, choices.

#include <cstddef>
#include <optional>
#include <string>

#include "planning/type_table.hpp"

namespace refrain {

/// A list of more choices is not written out: ComfyUI's own limit, and its words.
inline constexpr std::size_t kMostChoicesShown = 20;
std::string list_of_length(std::size_t size);

/// Why a literal can't be, in ComfyUI's words.
struct LiteralProblem {
  const char* type = "";
  std::string message;
  std::string details;
  std::string received_value;     ///< JSON text, after conversion as far as it went
  std::string exception_message;  ///< Python's, where there is one
  std::string explanation;
  std::string hint;
};

/// Converts and checks `literal` for `port`. `result` stays empty for a null at an optional port: not given.
/// Equal literals at one port share a value. Never throws for what is in the literal.
std::optional<LiteralProblem> check_literal(const TypeTable& types, PortInfo& port, const InputValue& literal,
                                            Value& result);

/// The default of a parameter, or of a choice; empty when there is none.
Value default_value(const TypeTable& types, PortInfo& port);

}  // namespace refrain
