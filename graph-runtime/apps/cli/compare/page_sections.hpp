#pragma once
// The parts of the page, each as HTML.

#include <string>

#include "compare/comparison.hpp"

namespace refrain::cli {

/// One card for each entry but the reference: speed-up, decisions, errors beside those of the plain sampler.
std::string cards_section(const Comparison& comparison);
/// All pictures, a column for each seed, the reference on top.
std::string pictures_section(const Comparison& comparison);
/// Error against time.
std::string plots_section(const Comparison& comparison);
/// What each step of each entry computed.
std::string decisions_section(const Comparison& comparison);
/// All figures.
std::string table_section(const Comparison& comparison);
/// How it was measured, and what the figures mean.
std::string method_section(const Comparison& comparison);

}  // namespace refrain::cli
