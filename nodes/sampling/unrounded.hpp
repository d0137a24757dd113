#pragma once

#include <refrain/schema.hpp>

namespace refrain {

/// A number that editors must leave as it is typed.
inline Input unrounded(Input input) {
  input.round = false;
  return input;
}

}  // namespace refrain
