#pragma once
// All pictures of a comparison on one sheet.

#include "compare/comparison.hpp"
#include "compare/picture.hpp"

namespace refrain::cli {

/// A column for each seed and picture of its batch, a row for each entry: the first on top, then each of the others
/// with the plain sampler of equal time below it. Beside each row stand its name, time, speed-up and errors.
Picture contact_sheet(const Comparison& comparison);

/// Indexes of the entries in the order in which they are shown: each plain sampler behind the one whose time it has.
std::vector<std::size_t> shown_order(const Comparison& comparison);

}  // namespace refrain::cli
