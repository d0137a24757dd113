#pragma once
// Lists of steps as people write them.

#include <string_view>
#include <vector>

namespace refrain {

/// Steps separated by commas or blanks. Throws NodeError naming the part that is no step.
std::vector<int> parse_steps(std::string_view text);

}  // namespace refrain
