#pragma once

#include <string>

#include "compare/comparison.hpp"

namespace refrain::cli {

/// A comparison as one HTML file that needs nothing else: pictures, style, script and drawings are inside, and it asks
/// the network for nothing.
std::string html_page(const Comparison& comparison);

}  // namespace refrain::cli
