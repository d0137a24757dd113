#pragma once
// What each step of a run did, as a strip of bars.

#include <string>
#include <vector>

#include "compare/comparison.hpp"

namespace refrain::cli {

/// An SVG with one bar for each evaluation, coloured by what was computed and as high as it took long; `most` is the
/// time of a full height. Under the pointer a bar tells step, action, reason and time. Empty without actions.
/// `columns`: room for so many bars, where strips of several lengths stand below each other.
std::string decision_strip(const std::vector<ActionTaken>& actions, double most, std::size_t columns = 0);

/// How long the longest evaluation took, outliers left out: the 90th percentile.
double longest_evaluation(const std::vector<ActionTaken>& actions);

/// "10 full, 40 deep(0)", in the order in which they first occur.
std::string count_actions(const std::vector<ActionTaken>& actions);

/// The meaning of the colours that occur, as HTML.
std::string decision_key(const Comparison& comparison);

}  // namespace refrain::cli
